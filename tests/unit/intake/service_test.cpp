#include "intake/service.hpp"

#include "support/memory_queue.hpp"
#include "support/plain_request.hpp"
#include "support/virtual_loop.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <optional>
#include <string>

namespace linkrunner::intake {
namespace {

using namespace std::chrono_literals;
using test::plain_request;

class counting_ids final : public event::id_source {
  public:
    std::string make() override { return "made-" + std::to_string(++made_); }

  private:
    int made_ = 0;
};

std::string gzip(const std::string& text) {
    z_stream z{};
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&z, static_cast<uLong>(text.size())) + 64, '\0');
    std::string in = text;
    z.next_in = reinterpret_cast<Bytef*>(in.data());
    z.avail_in = static_cast<uInt>(in.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

constexpr const char* good = R"({"event_name":"a","user_id":"u"})";

struct intake_service : testing::Test {
    test::virtual_clock time;
    test::virtual_loop owner{time};
    test::memory_queue queue{owner};
    counting_ids ids;
    telemetry::metrics metrics;
    std::optional<std::chrono::milliseconds> forecast = 100ms;
    int resumed = 0;
    settings options;
    std::unique_ptr<service> served;

    service& subject() {
        if (!served) {
            if (options.lanes.empty()) {
                options.lanes = {{{"*"}, false}};
            }
            served = std::make_unique<service>(options, "server-key",
                                               ports{queue, owner, time, ids, metrics,
                                                     [this](std::uint8_t) { return forecast; },
                                                     [this] { ++resumed; }});
        }
        return *served;
    }

    // Serves one request as the server would; nothing while no answer has been given.
    std::optional<net::response> serve(plain_request request) {
        if (auto refused = subject().refuse_early(request)) {
            return refused;
        }
        const auto got = std::make_shared<std::optional<net::response>>();
        subject().handle(request, [got](net::response with) { *got = std::move(with); });
        last = got;
        owner.run_ready();
        return *got;
    }

    net::response answer(plain_request request) {
        auto got = serve(std::move(request));
        EXPECT_TRUE(got.has_value());
        return got.value_or(net::response{});
    }

    std::shared_ptr<std::optional<net::response>> last;
};

plain_request post(std::string body, std::string target = "/v1/events",
                   std::string type = "application/json") {
    plain_request out("POST", std::move(target), std::move(body));
    out.with("Content-Type", std::move(type));
    return out;
}

boost::json::object data_of(const net::response& got) {
    return boost::json::parse(got.body).at("data").as_object();
}

std::string code_of(const net::response& got) {
    return data_of(got).at("code").as_string().c_str();
}

std::string header_of(const net::response& got, const std::string& name) {
    for (const auto& [key, value] : got.headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

TEST_F(intake_service, answers_202_with_the_event_id_once_the_event_is_stored) {
    queue.held = true;
    EXPECT_FALSE(serve(post(good)).has_value());
    queue.release();
    owner.run_ready();
    ASSERT_TRUE(last->has_value());
    EXPECT_EQ((*last)->status, 202);
    EXPECT_EQ(data_of(**last).at("event_id"), "made-1");
    EXPECT_EQ(data_of(**last).at("duplicate"), false);
    EXPECT_EQ(queue.events.at(1).body, R"({"event_id":"made-1","event_name":"a","user_id":"u"})");
}

TEST_F(intake_service, fixes_by_the_name_what_follows_an_ambiguous_attempt) {
    event::policy_settings by_name;
    by_name.rules.resize(2);
    by_name.rules[0].names = {"purchase_*"};
    by_name.rules[0].ambiguous_dead = true;
    by_name.rules[1].names = {"purchase_viewed", "seen"};
    by_name.rules[1].ambiguous_dead = false;
    options.rules = event::policy(by_name, {});
    for (const bool usual : {false, true}) {
        options.ambiguous_dead = usual;
        served.reset();
        queue.events.clear();
        for (const char* name : {"purchase_done", "purchase_viewed", "seen", "other"}) {
            answer(post(R"({"user_id":"u","event_name":")" + std::string(name) + "\"}"));
        }
        std::map<std::string, bool> dead;
        for (const auto& [number, event] : queue.events) {
            dead[event.name] = event.ambiguous_dead;
        }
        EXPECT_EQ(
            dead,
            (std::map<std::string, bool>{
                {"purchase_done", true}, {"purchase_viewed", true}, {"seen", false}, {"other", usual}}));
    }
}

TEST_F(intake_service, answers_the_drop_in_path_as_the_api_documents_it) {
    const auto got = answer(post(good, "/api/v1/capture-event"));
    EXPECT_EQ(got.status, 201);
    EXPECT_EQ(boost::json::parse(got.body).at("msg"), "Event capture request received!");
}

TEST_F(intake_service, takes_other_settings_while_it_serves) {
    EXPECT_EQ(answer(post(good, "/api/v1/capture-event")).status, 201);
    settings other = options;
    other.drop_in_status = 200;
    other.max_batch = 2;
    other.limits.max_event_bytes = 100;
    subject().change(other);
    EXPECT_EQ(answer(post(good, "/api/v1/capture-event")).status, 200);
    EXPECT_EQ(answer(post("[" + std::string(good) + "," + good + "," + good + "]")).status, 413);
    EXPECT_EQ(answer(post(R"({"event_name":"a","user_id":")" + std::string(200, 'u') + "\"}")).status, 413);
}

TEST_F(intake_service, answers_the_drop_in_path_with_the_configured_status) {
    options.drop_in_status = 200;
    EXPECT_EQ(answer(post(good, "/api/v1/capture-event")).status, 200);
}

TEST_F(intake_service, answers_a_repeat_as_accepted_and_stores_it_once) {
    const auto event = post(R"({"event_name":"a","user_id":"u","event_id":"e1"})");
    answer(event);
    const auto got = answer(event);
    EXPECT_EQ(got.status, 202);
    EXPECT_EQ(data_of(got).at("duplicate"), true);
    EXPECT_EQ(queue.events.size(), 1u);
}

TEST_F(intake_service, answers_409_for_the_same_identity_with_another_body) {
    answer(post(R"({"event_name":"a","user_id":"u","event_id":"e1"})"));
    const auto got = answer(post(R"({"event_name":"a","user_id":"u","event_id":"e1","event_data":{"x":1}})"));
    EXPECT_EQ(got.status, 409);
    EXPECT_EQ(code_of(got), "identity_conflict");
}

TEST_F(intake_service, takes_the_idempotency_key_as_event_id) {
    const auto got = answer(post(good).with("Idempotency-Key", "order-7"));
    EXPECT_EQ(data_of(got).at("event_id"), "order-7");
}

TEST_F(intake_service, derives_ids_of_a_batch_from_the_idempotency_key_so_that_a_repeat_is_a_duplicate) {
    const auto request = post(std::string("[") + good + "," + good + "]").with("Idempotency-Key", "k");
    EXPECT_EQ(data_of(answer(request)).at("duplicates"), 0);
    EXPECT_EQ(data_of(answer(request)).at("duplicates"), 2);
    EXPECT_EQ(queue.events.size(), 2u);
}

struct refused_request {
    const char* what;
    plain_request request;
    int status;
    const char* code;
};

TEST_F(intake_service, refuses_with_the_documented_status_and_code) {
    options.limits.max_event_bytes = 200;
    options.max_batch = 2;
    const std::vector<refused_request> table = {
        {"malformed", post("{"), 400, "malformed_json"},
        {"missing name", post(R"({"user_id":"u"})"), 400, "missing_field"},
        {"array on the drop-in path", post("[]", "/api/v1/capture-event"), 400, "not_an_object"},
        {"too large", post(R"({"event_name":"a","user_id":"u","x":")" + std::string(200, 'x') + "\"}"), 413,
         "event_too_large"},
        {"other path", post(good, "/other"), 404, "not_found"},
        {"other method", plain_request("GET", "/v1/events"), 405, "method_not_allowed"},
        {"form", post(good, "/v1/events", "application/x-www-form-urlencoded"), 415,
         "unsupported_media_type"},
        {"ndjson on the drop-in path", post(good, "/api/v1/capture-event", "application/x-ndjson"), 415,
         "unsupported_media_type"},
        {"brotli", post(good).with("Content-Encoding", "br"), 415, "unsupported_encoding"},
        {"not gzip", post(good).with("Content-Encoding", "gzip"), 400, "bad_gzip"},
        {"cut gzip", post(gzip(good).substr(0, 20)).with("Content-Encoding", "gzip"), 400, "bad_gzip"},
        {"browser", post(good).with("Origin", "https://shop.example"), 403, "forbidden_origin"},
        {"bad wait", post(good, "/v1/events?wait=yes"), 400, "bad_parameter"},
        {"bad timeout", post(good, "/v1/events?wait=delivered&timeout=5"), 400, "bad_parameter"},
        {"bad key", post(good).with("Idempotency-Key", "a b"), 400, "bad_idempotency_key"},
        {"empty batch", post("[]"), 400, "empty_batch"},
        {"empty ndjson", post("\n\n", "/v1/events", "application/x-ndjson"), 400, "empty_batch"},
        {"long batch", post("[1,2,3]"), 413, "batch_too_large"},
        {"array cut", post(std::string("[") + good), 400, "malformed_json"},
    };
    for (const auto& row : table) {
        SCOPED_TRACE(row.what);
        const auto got = answer(row.request);
        EXPECT_EQ(got.status, row.status);
        EXPECT_EQ(code_of(got), row.code);
        EXPECT_TRUE(queue.events.empty());
    }
}

TEST_F(intake_service, names_line_and_column_of_malformed_json_inside_an_array) {
    const auto got = answer(post(std::string("[") + good + ",\n {\"event_name\": nope}]"));
    EXPECT_EQ(got.status, 400);
    EXPECT_EQ(data_of(got).at("line"), 2);
    EXPECT_GE(data_of(got).at("column").as_int64(), 17);
    EXPECT_TRUE(queue.events.empty());
}

TEST_F(intake_service, names_the_allowed_method) {
    EXPECT_EQ(header_of(answer(plain_request("PUT", "/v1/events")), "Allow"), "POST");
}

TEST_F(intake_service, answers_207_and_says_which_events_of_a_batch_were_rejected) {
    const auto got =
        answer(post(std::string(good) + "\n{\"event_name\":1,\"user_id\":\"u\"}\n" + good + "\r\n",
                    "/v1/events", "application/x-ndjson"));
    EXPECT_EQ(got.status, 207);
    const auto data = data_of(got);
    EXPECT_EQ(data.at("accepted"), 2);
    EXPECT_EQ(data.at("rejected").at(0).at("index"), 1);
    EXPECT_EQ(data.at("rejected").at(0).at("pointer"), "/event_name");
    EXPECT_EQ(data.at("event_ids").as_array().size(), 3u);
    EXPECT_TRUE(data.at("event_ids").at(1).is_null());
    EXPECT_EQ(queue.events.size(), 2u);
}

TEST_F(intake_service, answers_400_when_all_of_a_batch_are_rejected) {
    const auto got = answer(post("[{},{}]"));
    EXPECT_EQ(got.status, 400);
    EXPECT_EQ(data_of(got).at("accepted"), 0);
    EXPECT_EQ(data_of(got).at("rejected").as_array().size(), 2u);
}

// Each may be a thousand times as large as it came.
TEST_F(intake_service, holds_few_inflated_bodies_at_once_and_works_through_all_of_them) {
    queue.held = true; // the disk is slow
    int answered = 0;
    for (int i = 0; i < 10; ++i) {
        plain_request one = post(gzip(R"({"event_name":"a","user_id":"u)" + std::to_string(i) + "\"}"))
                                .with("Content-Encoding", "gzip");
        subject().handle(one, [&answered](net::response with) { answered += with.status == 202 ? 1 : 0; });
    }
    owner.run_ready();
    EXPECT_EQ(queue.held_appends(), most_inflated_at_once);
    plain_request plain = post(good);
    bool plain_is_taken = false;
    subject().handle(plain, [&](net::response with) { plain_is_taken = with.status == 202; });
    queue.release();
    owner.run_ready();
    EXPECT_EQ(answered, 10);
    EXPECT_TRUE(plain_is_taken);
}

TEST_F(intake_service, gives_the_turn_of_a_bad_body_to_the_next) {
    int refused = 0;
    for (int i = 0; i < 10; ++i) {
        plain_request one = post("no gzip").with("Content-Encoding", "gzip");
        subject().handle(one, [&refused](net::response with) { refused += with.status == 400 ? 1 : 0; });
    }
    owner.run_ready();
    EXPECT_EQ(refused, 10);
    EXPECT_EQ(answer(post(gzip(good)).with("Content-Encoding", "gzip")).status, 202);
}

TEST_F(intake_service, takes_gzip_also_in_several_members) {
    const auto got =
        answer(post(gzip(std::string(good) + "\n") + gzip(good), "/v1/events", "application/x-ndjson")
                   .with("Content-Encoding", "gzip"));
    EXPECT_EQ(got.status, 202);
    EXPECT_EQ(queue.events.size(), 2u);
}

TEST_F(intake_service, stops_inflating_at_the_bound) {
    options.max_body_bytes = 1 << 20;
    const auto got = answer(post(gzip(std::string(8 << 20, ' '))).with("Content-Encoding", "gzip"));
    EXPECT_EQ(got.status, 413);
    EXPECT_EQ(code_of(got), "body_too_large");
}

TEST_F(intake_service, checks_the_host_on_loopback_only) {
    const auto with_host = [](std::string host, bool loopback, bool unix_socket) {
        plain_request out = post(good);
        out.headers.front().second = std::move(host);
        out.where.loopback = loopback;
        out.where.unix_socket = unix_socket;
        return out;
    };
    options.hosts = {"collector"};
    options.allow_unauthenticated = true;
    EXPECT_EQ(answer(with_host("evil.example", true, false)).status, 421);
    EXPECT_EQ(answer(with_host("localhost.evil.example:7417", true, false)).status, 421);
    EXPECT_EQ(answer(with_host("[::1]:7417", true, false)).status, 202);
    EXPECT_EQ(answer(with_host("127.8.9.1", true, false)).status, 202);
    EXPECT_EQ(answer(with_host("LOCALHOST:1", true, false)).status, 202);
    EXPECT_EQ(answer(with_host("Collector:7417", true, false)).status, 202);
    EXPECT_EQ(answer(with_host("evil.example", false, true)).status, 202);
    EXPECT_EQ(answer(with_host("pod.example", false, false)).status, 202);
}

TEST_F(intake_service, asks_strangers_for_the_token) {
    options.token = "s3cret";
    plain_request stranger = post(good);
    stranger.where.loopback = false;
    EXPECT_EQ(answer(stranger).status, 401);
    EXPECT_EQ(answer(plain_request(stranger).with("Authorization", "Bearer wrong!")).status, 401);
    EXPECT_EQ(answer(plain_request(stranger).with("Authorization", "Bearer s3cret")).status, 202);
    EXPECT_EQ(answer(post(good)).status, 202) << "loopback needs none";
}

TEST_F(intake_service, lets_no_stranger_in_where_there_is_no_token) {
    plain_request stranger = post(good);
    stranger.where.loopback = false;
    EXPECT_EQ(answer(stranger).status, 401);
}

TEST_F(intake_service, refuses_another_client_key_only_when_told_to) {
    const auto drop_in = post(good, "/api/v1/capture-event").with("linkrunner-key", "other");
    EXPECT_EQ(answer(drop_in).status, 201);
    served.reset();
    options.client_key = client_key_policy::reject;
    EXPECT_EQ(code_of(answer(drop_in)), "wrong_client_key");
    EXPECT_EQ(answer(post(good).with("linkrunner-key", "server-key")).status, 202);
}

TEST_F(intake_service, waits_for_the_end_of_an_event) {
    EXPECT_FALSE(serve(post(good, "/v1/events?wait=delivered&timeout=5s")).has_value());
    queue.record({{1, spool::mark_kind::delivered, {}, {}}}, {});
    ASSERT_TRUE(last->has_value());
    EXPECT_EQ((*last)->status, 200);
    EXPECT_EQ(data_of(**last).at("outcome"), "delivered");
    EXPECT_EQ(owner.timers(), 0u);
}

TEST_F(intake_service, answers_202_when_the_time_of_a_waiter_is_up) {
    EXPECT_FALSE(serve(post(good, "/v1/events?wait=delivered&timeout=2s")).has_value());
    owner.run_for(1999ms);
    EXPECT_FALSE(last->has_value());
    owner.run_for(1ms);
    ASSERT_TRUE(last->has_value());
    EXPECT_EQ((*last)->status, 202);
    EXPECT_EQ(data_of(**last).at("outcome"), "pending");
    EXPECT_EQ(queue.watchers(), 0u);
}

TEST_F(intake_service, does_not_wait_when_it_is_hopeless_or_too_many_wait) {
    options.max_waiters = 1;
    forecast = 6s;
    EXPECT_EQ(answer(post(good, "/v1/events?wait=delivered&timeout=5s")).status, 202);
    forecast.reset();
    EXPECT_EQ(answer(post(good, "/v1/events?wait=delivered&timeout=5s")).status, 202);
    forecast = 1s;
    EXPECT_FALSE(serve(post(good, "/v1/events?wait=delivered&timeout=5s")).has_value());
    EXPECT_EQ(answer(post(good, "/v1/events?wait=delivered&timeout=5s")).status, 202);
}

TEST_F(intake_service, waits_for_all_events_of_a_batch) {
    EXPECT_FALSE(
        serve(post(std::string("[") + good + "," + good + "]", "/v1/events?wait=delivered")).has_value());
    queue.record({{1, spool::mark_kind::delivered, {}, {}}}, {});
    EXPECT_FALSE(last->has_value());
    queue.record({{2, spool::mark_kind::dead, {}, {}}}, {});
    ASSERT_TRUE(last->has_value());
    EXPECT_EQ(data_of(**last).at("outcomes").at(1), "dead");
}

TEST_F(intake_service, refuses_while_draining_and_lets_waiters_go) {
    EXPECT_FALSE(serve(post(good, "/v1/events?wait=delivered")).has_value());
    subject().drain();
    ASSERT_TRUE(last->has_value());
    EXPECT_EQ((*last)->status, 202);
    const auto got = answer(post(good));
    EXPECT_EQ(got.status, 503);
    EXPECT_EQ(code_of(got), "draining");
    EXPECT_FALSE(header_of(got, "Retry-After").empty());
}

TEST_F(intake_service, takes_events_on_when_it_only_stops_waiting) {
    EXPECT_FALSE(serve(post(good, "/v1/events?wait=delivered")).has_value());
    subject().stop_waiting();
    ASSERT_TRUE(last->has_value());
    EXPECT_EQ((*last)->status, 202);
    EXPECT_EQ(answer(post(R"({"event_name":"later","user_id":"u"})")).status, 202);
    const auto waits = answer(post(R"({"event_name":"waits","user_id":"u"})", "/v1/events?wait=delivered"));
    EXPECT_EQ(waits.status, 202);
    EXPECT_EQ(data_of(waits).at("outcome"), "pending");
}

TEST_F(intake_service, says_unknown_after_a_disk_error) {
    queue.failure = make_error(std::errc::io_error, "fdatasync failed");
    const auto got = answer(post(good));
    EXPECT_EQ(got.status, 503);
    EXPECT_EQ(code_of(got), "disk_error");
    EXPECT_NE(got.body.find("same event_id"), std::string::npos);
    EXPECT_FALSE(header_of(got, "Retry-After").empty());
}

TEST_F(intake_service, stops_reading_beyond_the_bound_and_resumes) {
    options.max_uncommitted_bytes = 10;
    queue.held = true;
    EXPECT_TRUE(subject().may_read());
    serve(post(good));
    EXPECT_FALSE(subject().may_read());
    queue.release();
    owner.run_ready();
    EXPECT_EQ(resumed, 1);
    EXPECT_TRUE(subject().may_read());
}

TEST_F(intake_service, puts_an_event_into_its_lane) {
    options.lanes = {{{"purchase_*"}, true}, {{"*"}, false}};
    answer(post(good));
    answer(post(R"({"event_name":"purchase_completed","user_id":"u"})"));
    answer(post(R"({"event_name":"b","user_id":"u","event_data":{"amount":1}})"));
    EXPECT_EQ(queue.events.at(1).lane, 1);
    EXPECT_EQ(queue.events.at(2).lane, 0);
    EXPECT_EQ(queue.events.at(3).lane, 0);
}

// A millisecond has passed whenever it is looked at.
class hurried_clock final : public clock {
  public:
    steady_time steady() const noexcept override { return now_ += 1ms; }
    wall_time wall() const noexcept override { return {}; }

  private:
    mutable steady_time now_;
};

TEST_F(intake_service, others_have_their_turn_while_a_batch_is_read_and_while_its_answer_is_written) {
    options.lanes = {{{"*"}, false}};
    hurried_clock hurried;
    service slow(
        options, "server-key",
        ports{queue, owner, hurried, ids, metrics, [](std::uint8_t) { return std::nullopt; }, [] {}});
    std::string batch;
    for (int i = 0; i < 50; ++i) {
        batch += std::string(good) + "\n";
    }
    plain_request request = post(batch, "/v1/events", "application/x-ndjson");
    int turns = 0;
    int status = 0;
    std::function<void()> other = [&] {
        if (status == 0) {
            ++turns;
            owner.post(other);
        }
    };
    owner.post(other);
    slow.handle(request, [&](const net::response& with) { status = with.status; });
    owner.run_ready();
    EXPECT_EQ(status, 202);
    EXPECT_GE(turns, 100) << "50 to read the events, 50 to write down what became of them";
}

} // namespace
} // namespace linkrunner::intake
