// Every answer of the intake (docs/intake.md), from the real daemon over real sockets.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

class intake_answers : public daemon_test {};

TEST_F(intake_answers, to_a_drop_in_client_are_those_of_the_api) {
    start();
    const auto answer = daemon->post(event_text("purchase_completed", "u", "id-1"), "/api/v1/capture-event",
                                     {{"Content-Type", "application/json"}, {"linkrunner-key", server_key}});
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(text_at(answer, "/msg"), "Event capture request received!");
    EXPECT_EQ(number_at(answer, "/status"), 201);
    EXPECT_EQ(text_at(answer, "/data/event_id"), "id-1");
    EXPECT_EQ(answer.header("content-type"), "application/json");
    EXPECT_TRUE(api->wait_for_unique(1, patience));
}

TEST_F(intake_answers, to_a_drop_in_client_have_the_status_that_is_configured) {
    start({{"intake.drop_in_status", "200"}});
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/api/v1/capture-event").status, 200);
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
}

TEST_F(intake_answers, give_an_event_without_an_id_one_that_is_sent_along) {
    start();
    const auto answer = daemon->post(event_text("e", "u"));
    EXPECT_EQ(answer.status, 202);
    const std::string id = text_at(answer, "/data/event_id");
    EXPECT_EQ(id.size(), 36U);
    EXPECT_FALSE(parsed(answer).at("data").at("duplicate").as_bool());
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    EXPECT_EQ(api->events().at(0).event_id, id);
}

TEST_F(intake_answers, over_a_unix_socket_are_the_same) {
    start();
    EXPECT_EQ(daemon->listeners().at(1), "unix:" + (home / "intake.sock"));
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {}, 1).status, 202);
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {{"Host", "anything.example"}}, 1).status,
              202);
}

struct refusal_case {
    const char* what;
    std::string request;
    int status;
    std::string code;
    std::string pointer;
};

header_list json_type(header_list more = {}) {
    more.emplace_back("Content-Type", "application/json");
    return more;
}

std::string post_text(const std::string& body, header_list headers = {}, const char* target = "/v1/events") {
    return request_text("POST", target, body, json_type(std::move(headers)));
}

std::vector<refusal_case> refusals() {
    const std::string good = event_text("e", "u");
    return {
        {"no user", post_text(R"({"event_name":"e"})"), 400, "missing_field", "/user_id"},
        {"no name", post_text(R"({"user_id":"u"})"), 400, "missing_field", "/event_name"},
        {"blank name", post_text(event_text(" ", "u")), 400, "empty_field", "/event_name"},
        {"number as user", post_text(R"({"event_name":"e","user_id":42})"), 400, "mistyped_field",
         "/user_id"},
        {"array as data", post_text(event_text("e", "u", "", R"("event_data":[])")), 400, "mistyped_field",
         "/event_data"},
        {"number as id", post_text(event_text("e", "u", "", R"("event_id":5)")), 400, "mistyped_field",
         "/event_id"},
        {"user twice", post_text(R"({"event_name":"e","user_id":"u","user_id":"v"})"), 400, "duplicate_field",
         "/user_id"},
        {"long name", post_text(event_text(std::string(1025, 'n'), "u")), 400, "field_too_long",
         "/event_name"},
        {"no object", post_text("42"), 400, "not_an_object", ""},
        {"array on the drop-in path", post_text("[" + good + "]", {}, "/api/v1/capture-event"), 400,
         "not_an_object", ""},
        {"empty batch", post_text("[]"), 400, "empty_batch", ""},
        {"bad wait", post_text(good, {}, "/v1/events?wait=maybe"), 400, "bad_parameter", ""},
        {"bad timeout", post_text(good, {}, "/v1/events?wait=delivered&timeout=5"), 400, "bad_parameter", ""},
        {"bad idempotency key", post_text(good, {{"Idempotency-Key", "two words"}}), 400,
         "bad_idempotency_key", ""},
        {"not gzip", post_text(good, {{"Content-Encoding", "gzip"}}), 400, "bad_gzip", ""},
        {"origin", post_text(good, {{"Origin", "http://localhost"}}), 403, "forbidden_origin", ""},
        {"other path", post_text(good, {}, "/v1/event"), 404, "not_found", ""},
        {"other method", request_text("GET", "/v1/events"), 405, "method_not_allowed", ""},
        {"other method on the drop-in path", request_text("PUT", "/api/v1/capture-event", good), 405,
         "method_not_allowed", ""},
        {"no length", "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n",
         411, "length_required", ""},
        {"event over 1 MB",
         post_text(event_text("e", "u", "i", "\"x\":\"" + std::string(1'000'000, 'x') + "\"")), 413,
         "event_too_large", ""},
        {"body over 4 MiB", post_text("", {{"Content-Length", "4194305"}}), 413, "body_too_large", ""},
        {"text", request_text("POST", "/v1/events", good, {{"Content-Type", "text/plain"}}), 415,
         "unsupported_media_type", ""},
        {"NDJSON on the drop-in path",
         request_text("POST", "/api/v1/capture-event", good, {{"Content-Type", "application/x-ndjson"}}), 415,
         "unsupported_media_type", ""},
        {"brotli", post_text(good, {{"Content-Encoding", "br"}}), 415, "unsupported_encoding", ""},
        {"foreign host", post_text(good, {{"Host", "linkrunner.example"}}), 421, "wrong_host", ""},
        {"rebound host with a port", post_text(good, {{"Host", "evil.example:7417"}}), 421, "wrong_host", ""},
        {"17 KiB of headers", post_text(good, {{"X-Padding", std::string(17 * 1024, 'x')}}), 431,
         "headers_too_large", ""},
        {"no HTTP", "hello, world\r\n\r\n", 400, "malformed_request", ""},
        {"both framings",
         "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         400, "malformed_request", ""},
        {"no host", "POST /v1/events HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400, "malformed_request", ""},
    };
}

TEST_F(intake_answers, to_a_bad_request_have_status_code_pointer_and_envelope_and_store_nothing) {
    start();
    for (const refusal_case& each : refusals()) {
        SCOPED_TRACE(each.what);
        const auto answer = daemon->connect().exchange(each.request);
        ASSERT_EQ(answer.status, each.status) << answer.body;
        EXPECT_EQ(number_at(answer, "/status"), each.status);
        EXPECT_NE(text_at(answer, "/msg"), "");
        EXPECT_EQ(code_of(answer), each.code);
        EXPECT_EQ(text_at(answer, "/data/pointer"), each.pointer);
        EXPECT_EQ(answer.header("allow"), each.status == 405 ? "POST" : "");
    }
    EXPECT_EQ(daemon->ledger("accepted"), 0U);
    EXPECT_EQ(api->sums().requests, 0U);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_rejected_at_intake_total{code=\"duplicate_field\"}"), 1);
}

TEST_F(intake_answers, name_line_and_column_of_malformed_json) {
    start();
    const auto answer = daemon->post("{\"event_name\": \"e\",\n  \"user_id\": nope}");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(code_of(answer), "malformed_json");
    EXPECT_EQ(number_at(answer, "/data/line"), 2);
    EXPECT_EQ(number_at(answer, "/data/column"), 14);
}

TEST_F(intake_answers, never_repeat_what_was_sent) {
    start();
    const auto answer = daemon->post(R"({"event_name":"e","user_id":["secret-4711"]})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, Not(HasSubstr("secret-4711")));
}

TEST_F(intake_answers, to_a_wrong_client_key_follow_the_policy) {
    start({{"intake.client_key", "reject"}});
    EXPECT_EQ(code_of(daemon->post(event_text("e", "u"), "/v1/events", {{"linkrunner-key", "other"}})),
              "wrong_client_key");
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {{"linkrunner-key", server_key}}).status, 202);
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    start({{"intake.client_key", "warn"}});
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {{"linkrunner-key", "other-k3y"}}).status,
              202);
    EXPECT_THAT(daemon->child().output(), HasSubstr("linkrunner-key"));
    EXPECT_THAT(daemon->child().output(), Not(HasSubstr("other-k3y")));
}

TEST_F(intake_answers, to_a_host_that_is_configured_are_given) {
    start({{"intake.hosts", "events.internal"}});
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {{"Host", "events.internal:7417"}}).status,
              202);
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {{"Host", "other.internal"}}).status, 421);
    for (const char* loopback : {"localhost", "LOCALHOST:1", "127.0.0.1:7417", "127.1.2.3", "[::1]:7417"}) {
        EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {{"Host", loopback}}).status, 202)
            << loopback;
    }
}

TEST_F(intake_answers, on_an_open_address_need_the_token) {
    const std::string token = home.write("token", "t0ken-of-the-intake\n");
    start_sandbox();
    const auto [code, output] = run(daemon_command(linkrunnerd, [&] {
        setting_map open = settings;
        open["intake.listen"] = "0.0.0.0:0";
        return open;
    }()));
    EXPECT_EQ(code, 78) << output;
    EXPECT_THAT(output, HasSubstr("intake.token_file"));

    start({{"intake.listen", "0.0.0.0:0"}, {"intake.token_file", token}});
    const std::string address =
        "127.0.0.1" + daemon->listeners().at(0).substr(daemon->listeners().at(0).rfind(':'));
    const auto post = [&](const std::string& authorization) {
        header_list headers = json_type({{"Host", "10.1.2.3:7417"}});
        if (!authorization.empty()) {
            headers.emplace_back("Authorization", authorization);
        }
        return wire_client(address).exchange(
            request_text("POST", "/v1/events", event_text("e", "u"), headers));
    };
    EXPECT_EQ(code_of(post("")), "wrong_token");
    EXPECT_EQ(post("").status, 401);
    EXPECT_EQ(post("").header("www-authenticate"), "Bearer");
    EXPECT_EQ(post("Bearer t0ken-of-the-intakX").status, 401);
    EXPECT_EQ(post("Bearer t0ken").status, 401);
    EXPECT_EQ(post("Bearer t0ken-of-the-intake").status, 202);
    EXPECT_EQ(post("bearer t0ken-of-the-intake").status, 202);
    EXPECT_THAT(daemon->child().output(), Not(HasSubstr("t0ken")));
}

TEST_F(intake_answers, to_a_slow_request_come_when_its_time_is_up) {
    start({{"intake.request_timeout", "200ms"}, {"intake.idle_timeout", "100ms"}});
    wire_client slow = daemon->connect();
    slow.send("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Le");
    const auto answer = slow.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 408);
    EXPECT_EQ(code_of(*answer), "request_timeout");
    EXPECT_EQ(slow.wait_for_end(), wire_client::ending::eof);

    wire_client half = daemon->connect();
    half.send(request_text("POST", "/v1/events", "half", {{"Content-Length", "100"}}));
    EXPECT_EQ(half.receive()->status, 408);

    wire_client idle = daemon->connect();
    EXPECT_EQ(idle.wait_for_end(), wire_client::ending::eof);
    EXPECT_EQ(idle.unread(), "");
}

TEST_F(intake_answers, say_when_the_queue_is_full_and_when_to_come_back) {
    start_sandbox();
    api->set_key("another-key"); // held, so that nothing leaves
    start({{"spool.max_bytes", "2MiB"}, {"delivery.hold_probe", "50ms"}});
    const std::string padding = "\"x\":\"" + std::string(60'000, 'x') + "\"";
    std::optional<http_answer> refused;
    int accepted = 0;
    for (int i = 0; i < 200 && !refused; ++i) {
        const auto answer = daemon->post(event_text("e", "u" + std::to_string(i), "", padding));
        if (answer.status == 202) {
            ++accepted;
        } else {
            refused = answer;
        }
    }
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 503);
    EXPECT_EQ(code_of(*refused), "queue_full");
    EXPECT_GE(std::stoi(refused->header("retry-after")), 1);
    EXPECT_GT(accepted, 5);
    EXPECT_EQ(daemon->observe("/readyz").status, 503);
    api->set_key(server_key);
    EXPECT_TRUE(api->wait_for_unique(static_cast<std::uint64_t>(accepted), patience));
    EXPECT_TRUE(daemon->wait_until(
        [&](running_daemon& self) { return self.post(event_text("after", "u", "after")).status == 202; }));
}

TEST_F(intake_answers, turn_away_connections_beyond_the_limit) {
    start({{"intake.max_connections", "2"}});
    wire_client first = daemon->connect();
    wire_client second = daemon->connect(1);
    EXPECT_EQ(first.exchange(post_text(event_text("e", "u"))).status, 202);
    EXPECT_EQ(second.exchange(post_text(event_text("e", "u"))).status, 202);
    wire_client third = daemon->connect();
    const auto answer = third.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 503);
    EXPECT_EQ(code_of(*answer), "too_many_connections");
    first.close();
    EXPECT_TRUE(daemon->wait_until(
        [](running_daemon& self) { return self.post(event_text("e", "u")).status == 202; }));
}

} // namespace
} // namespace linkrunner::tests
