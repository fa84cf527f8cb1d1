// Dead letters of a running daemon over its control socket: seen, replayed, dropped, written out; and what
// was answered is there after kill -9.
#include "support/daemon_test.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>

namespace linkrunner::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

class dead_letters : public daemon_test {
  protected:
    // A daemon and an API that takes no refunds.
    void start_with_refunds_refused() {
        start_sandbox();
        api->add_faults("name=refund status=400");
        start();
    }

    void post(const std::string& name, const std::string& id) {
        ASSERT_EQ(daemon->post(event_text(name, "user-" + id, id)).status, 202);
    }

    json::value data(const std::string& method, const std::string& target, const std::string& body = {}) {
        const http_answer answer = daemon->control(method, target, body);
        EXPECT_EQ(answer.status, 200) << answer.body;
        return parsed(answer).at("data");
    }

    std::size_t delivered(const std::string& id) {
        const auto events = api->events();
        return static_cast<std::size_t>(std::ranges::count_if(events, [&](const auto& each) {
            return each.body.find("\"" + id + "\"") != std::string::npos && each.status < 300;
        }));
    }
};

TEST_F(dead_letters, are_seen_with_what_the_api_said_and_delivered_after_a_replay) {
    start_with_refunds_refused();
    post("refund", "order-1");
    post("purchase", "order-2");
    ASSERT_TRUE(daemon->wait_ledger("dead", 1));
    const json::value list = data("GET", "/v1/dead");
    ASSERT_EQ(list.at("letters").as_array().size(), 1U);
    const json::value& letter = list.at("letters").at(0);
    EXPECT_EQ(letter.at("event_id").as_string(), "order-1");
    EXPECT_EQ(letter.at("reason").as_string(), "rejected");
    EXPECT_EQ(letter.at("status").as_int64(), 400);
    EXPECT_FALSE(letter.at("answer").as_string().empty());
    const auto number = std::to_string(letter.at("number").as_int64());
    EXPECT_EQ(data("GET", "/v1/dead/" + number).at("body").at("event_name").as_string(), "refund");

    api->clear_faults();
    EXPECT_EQ(data("POST", "/v1/dead/replay", "{\"numbers\":[" + number + "]}").at("replayed").as_int64(), 1);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(delivered("order-1"), 1U); // with its event_id
    EXPECT_EQ(daemon->ledger("dead"), 0U);
    EXPECT_EQ(daemon->control("GET", "/v1/dead/" + number).status, 404);
}

TEST_F(dead_letters, die_again_when_nothing_has_changed) {
    start_with_refunds_refused();
    post("refund", "order-1");
    ASSERT_TRUE(daemon->wait_ledger("dead", 1));
    for (int round = 2; round <= 4; ++round) {
        EXPECT_EQ(data("POST", "/v1/dead/replay", R"({"all":true})").at("replayed").as_int64(), 1);
        EXPECT_TRUE(daemon->wait_until([&](running_daemon& self) {
            return self.metric("linkrunnerd_events_dead_total{reason=\"rejected\"}") == round;
        }));
    }
    EXPECT_TRUE(daemon->wait_ledger("dead", 1));
    EXPECT_EQ(daemon->ledger("accepted"), 1U);
}

TEST_F(dead_letters, replayed_or_dropped_stay_so_over_kill_9) {
    start_with_refunds_refused();
    for (int number = 0; number < 6; ++number) {
        post("refund", "order-" + std::to_string(number));
    }
    ASSERT_TRUE(daemon->wait_ledger("dead", 6));
    api->set_listening(false); // what is replayed has to wait
    api->drop_connections();
    EXPECT_EQ(data("POST", "/v1/dead/drop", R"({"event_id":"order-0"})").at("dropped").as_int64(), 1);
    EXPECT_EQ(data("POST", "/v1/dead/replay", R"({"event_name":"refund"})").at("replayed").as_int64(), 5);
    daemon->kill();
    api->clear_faults();
    api->set_listening(true);
    start();
    EXPECT_TRUE(daemon->wait_ledger("delivered", 5));
    EXPECT_EQ(daemon->ledger("dropped"), 1U);
    EXPECT_EQ(daemon->ledger("dead"), 0U);
    EXPECT_EQ(delivered("order-0"), 0U);
}

TEST_F(dead_letters, are_written_out_and_listed_in_pages) {
    start_with_refunds_refused();
    std::string batch;
    for (int number = 0; number < 15; ++number) { // twenty in a row would be a hold
        batch += event_text("refund", "user", "order-" + std::to_string(number)) + "\n";
    }
    ASSERT_EQ(daemon->post(batch, "/v1/events", {{"Content-Type", "application/x-ndjson"}}).status, 202);
    ASSERT_TRUE(daemon->wait_ledger("dead", 15));
    std::string from = "0";
    int lines = 0;
    int pages = 0;
    while (!from.empty() && ++pages < 20) {
        const http_answer page = daemon->control("GET", "/v1/dead/export?limit=4&from=" + from);
        EXPECT_EQ(page.status, 200);
        EXPECT_EQ(page.header("content-type"), "application/x-ndjson");
        lines += static_cast<int>(std::ranges::count(page.body, '\n'));
        from = page.header("linkrunner-next");
    }
    EXPECT_EQ(lines, 15);
    EXPECT_EQ(pages, 4);
    EXPECT_EQ(data("GET", "/v1/dead?limit=15").at("letters").as_array().size(), 15U);
    EXPECT_EQ(data("GET", "/v1/dead?reason=attempts").at("letters").as_array().size(), 0U);
}

TEST_F(dead_letters, and_all_other_events_are_audited_while_the_daemon_runs) {
    start_with_refunds_refused();
    post("refund", "order-1");
    post("purchase", "order-2");
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    ASSERT_TRUE(daemon->wait_ledger("dead", 1));
    const json::value found = data("GET", "/v1/audit");
    EXPECT_TRUE(found.at("holds").as_bool());
    EXPECT_EQ(found.at("recounted").at("accepted").as_int64(), 2);
    EXPECT_EQ(found.at("recounted"), found.at("kept"));
}

TEST_F(dead_letters, are_behind_a_socket_that_only_its_owner_may_open) {
    start();
    struct stat about{};
    ASSERT_EQ(::stat((home / "control.sock").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
    EXPECT_EQ(daemon->observe("/v1/dead").status, 404);
    EXPECT_EQ(daemon->post("{\"all\":true}", "/v1/dead/drop").status, 404);
}

TEST_F(dead_letters, a_control_socket_that_was_asked_for_and_cannot_be_made_ends_the_start_with_78) {
    settings = test_settings(home, "http://127.0.0.1:9/api/v1");
    settings["control.listen"] = "unix:" + (home / "no-such-directory/control.sock");
    const auto [code, output] = run(daemon_command(linkrunnerd, settings));
    EXPECT_EQ(code, 78) << output;
    EXPECT_THAT(output, HasSubstr("no-such-directory"));
}

TEST_F(dead_letters, a_control_socket_can_be_done_without) {
    start({{"control.listen", ""}});
    EXPECT_EQ(daemon->control_address(), "");
    EXPECT_FALSE(std::filesystem::exists(home / "control.sock"));
}

TEST_F(dead_letters, nobody_has_to_ask_for_a_control_socket) {
    start_sandbox();
    settings.erase("control.listen"); // /run/linkrunnerd may be there, or not, or be in use: it starts
    start();
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
}

} // namespace
} // namespace linkrunner::tests
