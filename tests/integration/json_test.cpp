// JSON edge cases over the wire (docs/intake-json.md): what is taken reaches the API byte for byte.
#include "support/daemon_test.hpp"

namespace linkrunner::tests {
namespace {

using namespace std::string_literals;

class json_over_the_wire : public daemon_test {};

std::string nested(int levels, const std::string& open, const std::string& close) {
    std::string out;
    for (int i = 0; i < levels; ++i) {
        out += open;
    }
    out += "1";
    for (int i = 0; i < levels; ++i) {
        out += close;
    }
    return out;
}

TEST_F(json_over_the_wire, is_sent_as_it_came) {
    start();
    const std::vector<std::string> extras = {
        R"("n":9007199254740993)",
        R"("n":123456789012345678901234567890)",
        R"("n":0.1000000000000000055511151231257827)",
        R"("n":-0.0)",
        R"("n":1.10)",
        R"("n":1E+2)",
        R"("":1)",
        R"("event_data":{"k":1,"k":2})",
        R"("event_data":{"k":"\u0000"})",
        R"("event_data" : { "k" : "\u0061\/\ud83d\ude00" })",
        "\"k\":\"\xf0\x9f\x98\x80 \xe2\x80\xa8\"",
        "\"deep\":" + nested(62, "[", "]"),
        "\"deep\":" + nested(62, "{\"a\":", "}"),
        "\n \t\"k\":\r\n[ ]",
        "\"event_data\":null",
    };
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < extras.size(); ++i) {
        sent.push_back(event_text("e", "u", "id-" + std::to_string(i), extras[i]));
        const auto answer = daemon->post(sent.back());
        EXPECT_EQ(answer.status, 202) << extras[i] << answer.body;
    }
    ASSERT_TRUE(daemon->wait_ledger("delivered", sent.size()));
    const auto received = api->events();
    ASSERT_EQ(received.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(received[i].body, sent[i]);
    }
}

TEST_F(json_over_the_wire, gets_an_event_id_and_loses_nothing_but_the_space_around) {
    start();
    const auto answer = daemon->post("\n {\"user_id\":\"u\", \"event_name\":\"e\",\"n\":1.50} \r\n");
    ASSERT_EQ(answer.status, 202);
    const std::string id = text_at(answer, "/data/event_id");
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    EXPECT_EQ(api->events().at(0).body,
              "{\"event_id\":\"" + id + "\",\"user_id\":\"u\", \"event_name\":\"e\",\"n\":1.50}");
}

TEST_F(json_over_the_wire, gets_no_event_id_by_choice) {
    start({{"events.add_event_id", "false"}});
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    ASSERT_TRUE(api->wait_for_events(1, patience));
    EXPECT_EQ(api->events().at(0).body, event_text("e", "u"));
}

TEST_F(json_over_the_wire, that_is_none_is_refused_with_its_code) {
    start();
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "malformed_json"},
        {" ", "malformed_json"},
        {"{\"event_name\":\"e\"", "malformed_json"},
        {event_text("e", "u") + "x", "malformed_json"},
        {event_text("e", "u") + event_text("e", "u"), "malformed_json"},
        {"\xef\xbb\xbf" + event_text("e", "u"), "malformed_json"},
        {event_text("e", "u", "", "\"n\":NaN"), "malformed_json"},
        {event_text("e", "u", "", "\"n\":01"), "malformed_json"},
        {event_text("e", "u", "", "\"n\":1e99999999999"), "malformed_json"},
        {event_text("e", "u", "", "\"k\":1,"), "malformed_json"},
        {event_text("e\nf", "u"), "malformed_json"},
        {event_text("e\0f"s, "u"), "malformed_json"},
        {event_text("e", "u") + "\0"s, "malformed_json"},
        {event_text("\\ud83d", "u"), "malformed_json"},
        {event_text("\\ude00\\ud83d", "u"), "malformed_json"},
        {event_text("caf\xe9", "u"), "invalid_utf8"},
        {event_text("e", "u", "", "\"k\":\"\xc0\xaf\""), "invalid_utf8"},
        {event_text("e", "u", "", "\"k\":\"\xed\xa0\x80\""), "invalid_utf8"},
        {event_text("e", "u", "", "\"\xff\":1"), "invalid_utf8"},
        {event_text("e", "u\\u0000"), "forbidden_character"},
        {event_text("e", "u", "", "\"deep\":" + nested(64, "[", "]")), "too_deep"},
        {event_text("e", "u", "", "\"deep\":" + nested(100'000, "[", "]")), "too_deep"},
        {nested(100'000, "[", "]"), "too_deep"},
        {"null", "not_an_object"},
        {event_text("e", "u", "", "\"user\\u005fid\":\"v\""), "duplicate_field"},
    };
    for (const auto& [body, code] : cases) {
        const std::string target = body.starts_with("[") ? "/api/v1/capture-event" : "/v1/events";
        const auto answer = daemon->post(body, target);
        EXPECT_EQ(answer.status, 400) << body.substr(0, 100);
        EXPECT_EQ(code_of(answer), code) << body.substr(0, 100);
    }
    EXPECT_EQ(daemon->ledger("accepted"), 0U);
}

TEST_F(json_over_the_wire, may_be_as_large_as_the_api_takes) {
    start();
    const std::string frame = event_text("e", "u", "big", R"("x":"")");
    const std::string body =
        event_text("e", "u", "big", "\"x\":\"" + std::string(1'000'000 - frame.size(), 'x') + "\"");
    ASSERT_EQ(body.size(), 1'000'000U);
    EXPECT_EQ(daemon->post(body).status, 202);
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    EXPECT_EQ(api->events().at(0).body, body);
    EXPECT_EQ(daemon
                  ->post(event_text("e", "u", "big2",
                                    "\"x\":\"" + std::string(1'000'000 - frame.size(), 'x') + "\""))
                  .status,
              413);
}

TEST_F(json_over_the_wire, with_an_unusual_number_that_the_api_refuses_holds_up_nothing) {
    start();
    EXPECT_EQ(daemon->post(event_text("e", "u", "1", "\"n\":1e400")).status, 202);
    EXPECT_EQ(daemon->post(event_text("e", "u", "2")).status, 202);
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
}

} // namespace
} // namespace linkrunner::tests
