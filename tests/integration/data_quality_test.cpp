// Data quality, redaction and additions with the real daemon: what answers say, what reaches the API, and
// what is in no file at all.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class data_quality : public daemon_test {
  protected:
    std::string body_at_api(std::uint64_t number) {
        std::string out;
        api->wait_until(
            [&](sandbox::api& core) {
                for (const auto& each : core.events().recent()) {
                    if (each.number == number) {
                        out = each.body;
                    }
                }
                return !out.empty();
            },
            patience);
        return out;
    }
};

TEST_F(data_quality, is_told_in_the_answer_and_mended_on_the_way) {
    start();
    const auto answer = daemon->post(
        R"({"event_name":"LevelUp","user_id":"u","event_id":"1","event_data":{"amount":" 12.50 ","n":1.0}})");
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(text_at(answer, "/data/warnings/0/code"), "name_style");
    EXPECT_EQ(text_at(answer, "/data/warnings/0/pointer"), "/event_name");
    EXPECT_EQ(text_at(answer, "/data/warnings/1/code"), "amount_as_string");
    EXPECT_TRUE(parsed(answer).at_pointer("/data/warnings/1/fixed").as_bool());
    EXPECT_EQ(
        body_at_api(1),
        R"({"event_name":"LevelUp","user_id":"u","event_id":"1","event_data":{"amount":12.50,"n":1.0}})");
    const std::string metrics = daemon->observe("/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("linkrunnerd_events_quality_warned_total{rule=\"name_style\"} 1\n"));
    EXPECT_THAT(metrics, HasSubstr("linkrunnerd_events_quality_fixed_total{rule=\"amount_as_string\"} 1\n"));
}

TEST_F(data_quality, of_a_batch_is_told_event_by_event) {
    start({{"events.name_style", "reject"}});
    const auto answer = daemon->post("[" + event_text("good", "u") + "," + event_text("NotGood", "u") + "," +
                                     event_text("good", "null") + "]");
    EXPECT_EQ(answer.status, 207);
    EXPECT_EQ(number_at(answer, "/data/rejected/0/index"), 1);
    EXPECT_EQ(text_at(answer, "/data/rejected/0/code"), "name_style");
    EXPECT_EQ(number_at(answer, "/data/warnings/0/index"), 2);
    EXPECT_EQ(text_at(answer, "/data/warnings/0/code"), "placeholder_user");
}

TEST_F(data_quality, rules_per_name_drop_events_and_say_so) {
    start({{"events.rules", R"([{names: ["debug_*"], drop: true}])"}});
    const auto one = daemon->post(event_text("debug_tick", "u"));
    EXPECT_EQ(one.status, 202);
    EXPECT_TRUE(parsed(one).at_pointer("/data/filtered").as_bool());
    EXPECT_TRUE(parsed(one).at_pointer("/data/event_id").is_null());
    const auto batch = daemon->post("[" + event_text("debug_tick", "u") + "," + event_text("e", "u") + "]",
                                    "/v1/events?wait=delivered");
    EXPECT_EQ(batch.status, 200);
    EXPECT_EQ(number_at(batch, "/data/filtered"), 1);
    EXPECT_TRUE(parsed(batch).at_pointer("/data/outcomes/0").is_null());
    EXPECT_EQ(text_at(batch, "/data/outcomes/1"), "delivered");
    EXPECT_EQ(daemon->ledger("accepted"), 1U);
    EXPECT_THAT(daemon->observe("/metrics").body, HasSubstr("linkrunnerd_events_filtered_total 2\n"));
}

TEST_F(data_quality, what_is_redacted_is_in_no_file_log_metric_answer_or_dead_letter) {
    const std::string secret_file = home.write("redact.key", "p3pper\n");
    start_sandbox();
    api->add_faults("name=refused status=400");
    start({{"events.redact", "[{key: email, action: remove}, {key: \"*card*\", action: mask}, "
                             "{pointer: /event_data/who, action: hash}]"},
           {"events.redact_key_file", secret_file},
           {"log.level", "trace"}});
    const std::string data = R"("event_data":{"email":"jane@raw.example","x":{"EMail":"jane@raw.example"},)"
                             R"("cardNumber":"4111raw1111","who":"jane-raw"})";
    EXPECT_EQ(daemon->post(event_text("taken", "u", "1", data), "/v1/events?wait=delivered").status, 200);
    EXPECT_EQ(daemon->post(event_text("refused", "u", "2", data), "/v1/events?wait=delivered").status, 200);
    EXPECT_EQ(daemon->post(event_text("taken", "", "3", data)).status, 400);
    EXPECT_EQ(daemon->post(event_text("taken", "u", "4", data) + "}").status, 400);
    const std::string sent = body_at_api(1);
    EXPECT_THAT(sent, HasSubstr(R"("x":{},"cardNumber":"***","who":")"));
    const std::string status = daemon->observe("/status").body + daemon->observe("/metrics").body;
    EXPECT_EQ(daemon->stop(), 0);
    stopped = true;
    std::string everything = sent + status + daemon->child().output();
    for (const auto& file : std::filesystem::recursive_directory_iterator(settings.at("spool.directory"))) {
        if (file.is_regular_file()) {
            everything += content_of(file.path());
        }
    }
    EXPECT_THAT(everything, HasSubstr("taken"));
    for (const char* raw : {"raw.example", "4111raw", "jane-raw", "p3pper"}) {
        EXPECT_EQ(everything.find(raw), std::string::npos) << raw;
    }
}

TEST_F(data_quality, additions_carry_time_and_host) {
    start({{"events.stamp", "occurred_at"},
           {"events.host", "server"},
           {"events.add", "[{key: environment, value: test}]"}});
    EXPECT_EQ(daemon->post(event_text("e", "u", "1")).status, 202);
    const auto sent = boost::json::parse(body_at_api(1)).at("event_data");
    EXPECT_EQ(sent.at("environment").as_string(), "test");
    EXPECT_EQ(sent.at("occurred_at").as_string().size(), std::string_view("2026-11-23T15:00:00.000Z").size());
    EXPECT_FALSE(sent.at("server").as_string().empty());
    EXPECT_TRUE(parsed(daemon->post(event_text("e", "u", "1"))).at_pointer("/data/duplicate").as_bool());
}

TEST_F(data_quality, can_be_tried_out_without_a_daemon_or_a_key) {
    start_sandbox();
    const std::string file =
        home.write("events.ndjson",
                   event_text("e", "u") + "\n" + event_text("BadName", "u") + "\n{\"event_name\":\"e\"}\n");
    settings["upstream.server_key_file"] = home / "no-key";
    auto command = daemon_command(linkrunnerd, settings);
    command.words.insert(command.words.end(), {"--check-events", file, "--json"});
    const auto [code, output] = run(command);
    EXPECT_EQ(code, 1) << output;
    const auto report = boost::json::parse(output);
    EXPECT_EQ(report.at("events").to_number<int>(), 3);
    EXPECT_EQ(report.at("taken").to_number<int>(), 2);
    EXPECT_EQ(report.at_pointer("/warned/name_style/count").to_number<int>(), 1);
    EXPECT_EQ(report.at_pointer("/rejected/missing_field/examples/0/index").to_number<int>(), 2);
    EXPECT_FALSE(std::filesystem::exists(settings.at("spool.directory")));
}

} // namespace
} // namespace linkrunner::tests
