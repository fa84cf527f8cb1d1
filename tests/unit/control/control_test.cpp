// The control endpoint over a spool in memory.
#include "control/control.hpp"

#include "base/utc_text.hpp"
#include "support/plain_request.hpp"
#include "support/virtual_loop.hpp"
#include "unit/spool/memory_disk.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::control {
namespace {

namespace json = boost::json;
using test::plain_request;
using testing::HasSubstr;

class noted_steering final : public steering {
  public:
    std::string status() const override { return "{\"daemon\":{}}"; }
    void pause(bool paused) override { paused_ = paused; }
    bool paused() const override { return paused_; }
    void drain(bool draining) override { draining_ = draining; }
    bool draining() const override { return draining_; }
    std::uint64_t pending() const override { return 3; }
    void limit_rate(std::optional<double> per_second) override { limit_ = per_second; }
    rate_view rate() const override { return {limit_.value_or(29), 29, limit_}; }
    std::string waits_for(std::uint64_t, std::uint8_t, std::optional<wall_time>) const override {
        return "its turn";
    }
    result<std::string> reload() override {
        ++reloads;
        return broken.empty() ? result<std::string>("\"done\":\"x\"")
                              : make_error(std::errc::invalid_argument, broken);
    }
    int reloads = 0;
    std::string broken;

  private:
    bool paused_ = false;
    bool draining_ = false;
    std::optional<double> limit_;
};

class control_endpoint : public testing::Test {
  protected:
    control_endpoint() {
        spool::settings options;
        options.directory = "/spool";
        spool::recovery_report report;
        queue_ = spool::queue::open_on_loop(options, disk_, clock_, loop_, random_, report).value();
        caretaker_ = std::make_unique<spool::caretaker>(
            *queue_, spool::caretaker::hooks{[](const auto&) {}, [](std::uint64_t) {}});
        subject_ = std::make_unique<control>(control_parts{*caretaker_, daemon_, stories_, clock_,
                                                           std::vector<std::string>{"revenue", "default"}});
    }

    void bury(const std::string& id, const std::string& name = "cart_added",
              const std::string& excerpt = "no such user") {
        spool::new_event event;
        event.lane = 1;
        event.accepted_at = clock_.wall();
        event.name = name;
        event.event_id = id;
        event.body = R"({"event_name":")" + name + R"(","event_id":")" + id + R"(","amount":1.10})";
        event.identity = hash128(1, {id});
        queue_->append({event}, [](const auto&) {});
        spool::mark dead;
        dead.number = ++accepted_;
        dead.kind = spool::mark_kind::dead;
        dead.letter = {spool::dead_reason::rejected, 400, 1, clock_.wall(), clock_.wall(), false, excerpt};
        loop_.run_ready();
        queue_->record({dead});
        loop_.run_ready();
    }

    void wait(const std::string& id, std::uint8_t lane, const std::string& name, const std::string& user) {
        spool::new_event event;
        event.lane = lane;
        event.accepted_at = clock_.wall();
        event.name = name;
        event.event_id = id;
        event.body = R"({"event_name":")" + name + R"(","user_id":")" + user + R"("})";
        event.identity = hash128(1, {id});
        queue_->append({event}, [](const auto&) {});
        ++accepted_;
        loop_.run_ready();
    }

    net::response ask(const std::string& method, const std::string& target, const std::string& body = "") {
        plain_request request(method, target, body);
        if (auto refused = subject_->refuse_early(request)) {
            return *refused;
        }
        net::response got;
        got.status = 0;
        subject_->handle(request, [&](net::response with) { got = std::move(with); });
        loop_.run_ready();
        return got;
    }
    json::value data(const std::string& method, const std::string& target, const std::string& body = "") {
        const net::response got = ask(method, target, body);
        EXPECT_EQ(got.status, 200) << got.body;
        const json::value whole = json::parse(got.body);
        EXPECT_EQ(whole.at("status").as_int64(), 200);
        return whole.at("data");
    }
    static std::string code(const net::response& answer) {
        return std::string(json::parse(answer.body).at("data").at("code").as_string());
    }
    static std::string header(const net::response& answer, const std::string& name) {
        for (const auto& [each, value] : answer.headers) {
            if (each == name) {
                return value;
            }
        }
        return {};
    }

    test::memory_disk disk_;
    test::virtual_clock clock_;
    test::virtual_loop loop_{clock_};
    seeded_random random_{3};
    std::unique_ptr<spool::queue> queue_;
    std::unique_ptr<spool::caretaker> caretaker_;
    noted_steering daemon_;
    journal stories_{loop_, clock_, {"revenue", "default"}};
    std::unique_ptr<control> subject_;
    spool::sequence accepted_ = 0;
};

TEST_F(control_endpoint, lists_dead_letters_in_pages) {
    bury("a");
    bury("b");
    bury("c", "purchase");
    const json::value first = data("GET", "/v1/dead?limit=2");
    EXPECT_EQ(first.at("dead").as_int64(), 3);
    ASSERT_EQ(first.at("letters").as_array().size(), 2u);
    const json::value& one = first.at("letters").at(0);
    EXPECT_EQ(one.at("number").as_int64(), 1);
    EXPECT_EQ(one.at("event_id").as_string(), "a");
    EXPECT_EQ(one.at("event_name").as_string(), "cart_added");
    EXPECT_EQ(one.at("lane").as_string(), "default");
    EXPECT_EQ(one.at("path").as_string(), "/capture-event");
    EXPECT_EQ(one.at("reason").as_string(), "rejected");
    EXPECT_EQ(one.at("status").as_int64(), 400);
    EXPECT_EQ(one.at("attempts").as_int64(), 1);
    EXPECT_EQ(one.at("answer").as_string(), "no such user");
    EXPECT_EQ(one.at("last_attempt").as_string(), utc_text(clock_.wall()));
    EXPECT_FALSE(one.as_object().contains("body"));
    const auto next = std::to_string(first.at("next").as_int64());
    const json::value second = data("GET", "/v1/dead?limit=2&from=" + next);
    EXPECT_EQ(second.at("letters").as_array().size(), 1u);
    EXPECT_TRUE(second.at("next").is_null());
    EXPECT_EQ(data("GET", "/v1/dead?event_name=purchase&reason=rejected").at("letters").as_array().size(),
              1u);
    EXPECT_EQ(data("GET", "/v1/dead?event_id=b").at("letters").at(0).at("number").as_int64(), 2);
}

TEST_F(control_endpoint, shows_one_with_its_body_as_it_is_sent) {
    bury("a");
    EXPECT_THAT(ask("GET", "/v1/dead/1").body,
                HasSubstr(R"("body":{"event_name":"cart_added","event_id":"a","amount":1.10})"));
    EXPECT_EQ(code(ask("GET", "/v1/dead/2")), "not_dead");
    EXPECT_EQ(ask("GET", "/v1/dead/2").status, 404);
    EXPECT_EQ(ask("GET", "/v1/dead/first").status, 404);
}

TEST_F(control_endpoint, writes_out_a_letter_a_line) {
    for (int i = 0; i < 5; ++i) {
        bury(std::to_string(i));
    }
    const net::response first = ask("GET", "/v1/dead/export?limit=3");
    EXPECT_EQ(first.content_type, "application/x-ndjson");
    EXPECT_EQ(std::ranges::count(first.body, '\n'), 3);
    EXPECT_EQ(header(first, "Linkrunner-Next"), "4");
    const net::response rest = ask("GET", "/v1/dead/export?from=4");
    EXPECT_EQ(std::ranges::count(rest.body, '\n'), 2);
    EXPECT_EQ(header(rest, "Linkrunner-Next"), "");
    const auto line = json::parse(rest.body.substr(0, rest.body.find('\n')));
    EXPECT_EQ(line.at("body").at("event_id").as_string(), "3");
}

TEST_F(control_endpoint, replays_and_drops_what_is_asked_for) {
    for (int i = 0; i < 6; ++i) {
        bury(std::to_string(i), i < 3 ? "cart_added" : "purchase");
    }
    const json::value some = data("POST", "/v1/dead/replay", R"({"numbers":[2, 1, 2, 99]})");
    EXPECT_EQ(some.at("replayed").as_int64(), 2);
    EXPECT_EQ(some.at("skipped").as_int64(), 1);
    EXPECT_EQ(data("POST", "/v1/dead/drop", R"({"event_name":"cart_added"})").at("dropped").as_int64(), 1);
    EXPECT_EQ(data("POST", "/v1/dead/replay", R"({"all":true})").at("replayed").as_int64(), 3);
    EXPECT_EQ(queue_->status().events.pending, 5u);
    EXPECT_EQ(queue_->status().events.dropped, 1u);
    EXPECT_EQ(queue_->status().events.dead, 0u);
}

TEST_F(control_endpoint, refuses_what_selects_nothing_or_is_not_understood) {
    bury("a");
    for (const char* body :
         {"", "{}", "[]", "{\"all\":false}", "{\"numbers\":[]}", "{\"numbers\":[0]}", "{\"numbers\":\"1\"}",
          "{\"reason\":\"bad luck\"}", "{\"everything\":true}", "{\"event_name\":7}"}) {
        const net::response got = ask("POST", "/v1/dead/drop", body);
        EXPECT_EQ(got.status, 400) << body;
        EXPECT_EQ(code(got), "bad_request") << body;
    }
    for (const char* query : {"limit=0", "limit=5000", "limit=x", "from=-1", "reason=x", "colour=red"}) {
        EXPECT_EQ(ask("GET", std::string("/v1/dead?") + query).status, 400) << query;
    }
    EXPECT_EQ(queue_->status().events.dead, 1u);
}

TEST_F(control_endpoint, knows_its_paths_and_methods_and_no_browsers) {
    EXPECT_EQ(ask("GET", "/nothing").status, 404);
    EXPECT_EQ(ask("POST", "/v1/dead").status, 405);
    EXPECT_EQ(header(ask("GET", "/v1/dead/replay"), "Allow"), "POST");
    EXPECT_EQ(ask("GET", "/").status, 200);
    plain_request foreign("POST", "/v1/dead/drop", "{\"all\":true}");
    foreign.with("Origin", "http://example.com");
    EXPECT_EQ(subject_->refuse_early(foreign)->status, 403);
}

TEST_F(control_endpoint, audits) {
    bury("a");
    const json::value found = data("GET", "/v1/audit");
    EXPECT_TRUE(found.at("holds").as_bool());
    EXPECT_EQ(found.at("kept"), found.at("recounted"));
    EXPECT_EQ(found.at("recounted").at("dead").as_int64(), 1);
    EXPECT_TRUE(found.at("differences").as_array().empty());
}

TEST_F(control_endpoint, says_so_when_the_spool_is_closed) {
    queue_->close();
    const net::response got = ask("GET", "/v1/dead");
    EXPECT_EQ(got.status, 503);
    EXPECT_EQ(code(got), "draining");
}

TEST_F(control_endpoint, an_answer_of_the_api_that_is_no_text_is_shown_as_far_as_it_is) {
    bury("a", "cart_added", "caf\xC3\xA9 \xFF\xC3");
    EXPECT_EQ(data("GET", "/v1/dead/1").at("answer").as_string(), "caf\xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_F(control_endpoint, lists_what_waits_by_lane_name_id_and_age) {
    wait("old", 1, "cart_added", "ann");
    clock_.step_wall(std::chrono::hours(1));
    wait("new", 1, "cart_added", "bob");
    wait("paid", 0, "purchase", "ann");
    bury("dead");
    const json::value all = data("GET", "/v1/queue");
    EXPECT_EQ(all.at("pending").as_int64(), 3);
    ASSERT_EQ(all.at("events").as_array().size(), 3u);
    const json::value& first = all.at("events").at(0);
    EXPECT_EQ(first.at("number").as_int64(), 1);
    EXPECT_EQ(first.at("lane").as_string(), "default");
    EXPECT_EQ(first.at("event_id").as_string(), "old");
    EXPECT_EQ(first.at("event_name").as_string(), "cart_added");
    EXPECT_EQ(first.at("user").as_string(), "ann");
    EXPECT_GT(first.at("body_bytes").as_int64(), 20);
    EXPECT_FALSE(first.as_object().contains("body"));
    const auto ids = [this](const std::string& query) {
        std::string out;
        const json::value page = data("GET", "/v1/queue?" + query);
        for (const json::value& each : page.at("events").as_array()) {
            out += std::string(each.at("event_id").as_string()) + " ";
        }
        return out;
    };
    EXPECT_EQ(ids("lane=revenue"), "paid ");
    EXPECT_EQ(ids("event_name=cart_added"), "old new ");
    EXPECT_EQ(ids("event_id=new"), "new ");
    EXPECT_EQ(ids("older_than=30m"), "old ");
    EXPECT_EQ(ids("event_name=purchase&event_id=new"), "");
}

TEST_F(control_endpoint, lists_what_waits_in_pages_and_shows_one_with_its_body) {
    for (int i = 0; i < 5; ++i) {
        wait(std::to_string(i), 1, "e", "u");
    }
    const json::value first = data("GET", "/v1/queue?limit=3");
    EXPECT_EQ(first.at("events").as_array().size(), 3u);
    EXPECT_EQ(first.at("next").as_int64(), 4);
    const json::value second = data("GET", "/v1/queue?limit=3&from=4");
    EXPECT_EQ(second.at("events").as_array().size(), 2u);
    EXPECT_TRUE(second.at("next").is_null());
    EXPECT_EQ(data("GET", "/v1/queue/2").at("body").at("user_id").as_string(), "u");
    EXPECT_EQ(code(ask("GET", "/v1/queue/99")), "not_pending");
    EXPECT_EQ(ask("GET", "/v1/queue/first").status, 404);
    for (const char* query : {"limit=0", "limit=5000", "lane=none", "older_than=soon", "colour=red"}) {
        EXPECT_EQ(ask("GET", std::string("/v1/queue?") + query).status, 400) << query;
    }
}

TEST_F(control_endpoint, selects_dead_letters_by_age) {
    bury("old");
    clock_.step_wall(std::chrono::hours(48));
    bury("new");
    const json::value old = data("GET", "/v1/dead?older_than=24h");
    ASSERT_EQ(old.at("letters").as_array().size(), 1u);
    EXPECT_EQ(old.at("letters").at(0).at("event_id").as_string(), "old");
    EXPECT_EQ(data("GET", "/v1/dead?newer_than=1h").at("letters").at(0).at("event_id").as_string(), "new");
    EXPECT_EQ(data("POST", "/v1/dead/drop", R"({"older_than":"1d"})").at("dropped").as_int64(), 1);
    EXPECT_EQ(queue_->status().events.dead, 1u);
}

TEST_F(control_endpoint, pauses_drains_and_resumes) {
    EXPECT_TRUE(data("POST", "/v1/pause").at("paused").as_bool());
    EXPECT_TRUE(data("POST", "/v1/drain").at("draining").as_bool());
    EXPECT_TRUE(daemon_.paused());
    EXPECT_EQ(data("POST", "/v1/pause").at("pending").as_int64(), 3);
    const json::value after = data("POST", "/v1/resume");
    EXPECT_FALSE(after.at("paused").as_bool());
    EXPECT_FALSE(after.at("draining").as_bool());
    EXPECT_FALSE(daemon_.draining());
    EXPECT_EQ(ask("GET", "/v1/pause").status, 405);
}

TEST_F(control_endpoint, shows_changes_and_resets_the_rate) {
    EXPECT_EQ(data("GET", "/v1/rate").at("configured_per_second").to_number<double>(), 29);
    EXPECT_EQ(data("POST", "/v1/rate", R"({"per_second":5.5})").at("in_force_per_second").to_number<double>(),
              5.5);
    EXPECT_EQ(data("GET", "/v1/rate").at("temporary_per_second").to_number<double>(), 5.5);
    EXPECT_TRUE(data("POST", "/v1/rate", R"({"reset":true})").at("temporary_per_second").is_null());
    for (const char* body : {"", "{}", R"({"per_second":0})", R"({"per_second":"5"})", R"({"reset":false})",
                             R"({"per_second":1,"reset":true})", R"({"per_second":1e9})"}) {
        EXPECT_EQ(ask("POST", "/v1/rate", body).status, 400) << body;
    }
    EXPECT_EQ(ask("DELETE", "/v1/rate").status, 405);
}

TEST_F(control_endpoint, reloads_or_says_why_not) {
    EXPECT_EQ(ask("POST", "/v1/reload").status, 200);
    daemon_.broken = "line 3: no such key";
    const net::response got = ask("POST", "/v1/reload");
    EXPECT_EQ(got.status, 422);
    EXPECT_EQ(code(got), "reload_failed");
    EXPECT_THAT(got.body, HasSubstr("line 3"));
    EXPECT_EQ(daemon_.reloads, 2);
}

TEST_F(control_endpoint, explains_what_waits_is_dead_or_has_ended) {
    wait("order-1", 1, "cart_added", "ann");
    stories_.accepted(1, "unix:/intake.sock", nullptr);
    const telemetry::event_view event{1, 1, clock_.wall(), "order-1", "cart_added", "{}"};
    stories_.failed(event, {1, "transient", 500, std::chrono::milliseconds(7), "try later", true},
                    std::chrono::milliseconds(900));
    const json::value waiting = data("GET", "/v1/explain?event_id=order-1");
    ASSERT_EQ(waiting.at("stories").as_array().size(), 1u);
    const json::value& one = waiting.at("stories").at(0);
    EXPECT_EQ(one.at("state").as_string(), "pending");
    EXPECT_EQ(one.at("listener").as_string(), "unix:/intake.sock");
    EXPECT_EQ(one.at("waits_for").as_string(), "its turn");
    EXPECT_EQ(one.at("user").as_string(), "ann");
    ASSERT_EQ(one.at("attempts_known").as_array().size(), 1u);
    EXPECT_EQ(one.at("attempts_known").at(0).at("status").as_int64(), 500);
    EXPECT_TRUE(one.at("attempts_known").at(0).at("ambiguous").as_bool());

    bury("order-2");
    stories_.dead({2, 1, clock_.wall(), "order-2", "cart_added", "{}"}, "rejected", nullptr);
    const json::value dead = data("GET", "/v1/explain?event_id=order-2");
    ASSERT_EQ(dead.at("stories").as_array().size(), 1u); // once, though both know of it
    EXPECT_EQ(dead.at("stories").at(0).at("state").as_string(), "dead");
    EXPECT_EQ(dead.at("stories").at(0).at("reason").as_string(), "rejected");
    EXPECT_TRUE(dead.at("stories").at(0).at("listener").is_null());

    stories_.succeeded({7, 0, clock_.wall(), "order-3", "purchase", "{}"},
                       {2, "delivered", 201, {}, "", false}, "delivered");
    stories_.succeeded({8, 0, clock_.wall(), "order-4", "purchase", "{}"},
                       {1, "delivered", 202, {}, "", false}, "handed_off");
    EXPECT_EQ(data("GET", "/v1/explain?event_id=order-4").at("stories").at(0).at("state").as_string(),
              "handed_off");
    const json::value ended = data("GET", "/v1/explain?event_id=order-3");
    EXPECT_EQ(ended.at("stories").at(0).at("state").as_string(), "delivered");
    EXPECT_EQ(ended.at("stories").at(0).at("lane").as_string(), "revenue");
    EXPECT_TRUE(data("GET", "/v1/explain?event_id=unknown").at("stories").as_array().empty());
    EXPECT_EQ(ask("GET", "/v1/explain").status, 400);
    EXPECT_EQ(ask("GET", "/v1/tail?outcome=everything").status, 400);
}

} // namespace
} // namespace linkrunner::control
