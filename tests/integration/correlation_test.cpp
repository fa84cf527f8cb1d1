// Log lines of attempts, and the trace of the caller in them.
#include "support/daemon_test.hpp"

#include <boost/json/parse.hpp>

namespace linkrunner::tests {
namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";

class correlation : public daemon_test {
  protected:
    int post(const std::string& body, const std::string& traceparent,
             const std::string& target = "/v1/events") {
        header_list headers = {{"Content-Type", body.find('\n') == std::string::npos
                                                    ? "application/json"
                                                    : "application/x-ndjson"}};
        if (!traceparent.empty()) {
            headers.emplace_back("traceparent", traceparent);
        }
        return daemon->post(body, target, headers).status;
    }

    // The log line of that attempt.
    boost::json::object attempt_of(const std::string& event_id, int attempt = 1) {
        const auto line = daemon->child().wait_line([&](const std::string& text) {
            return text.find("\"attempt ended\"") != std::string::npos &&
                   text.find("\"event_id\":\"" + event_id + "\"") != std::string::npos &&
                   text.find("\"attempt\":" + std::to_string(attempt) + ",") != std::string::npos;
        });
        return line ? boost::json::parse(*line).as_object() : boost::json::object();
    }
};

TEST_F(correlation, puts_the_trace_of_the_request_into_the_log_lines_of_its_events) {
    start_sandbox();
    api->add_faults("name=flaky count=1 status=503");
    start({{"log.level", "debug"}});
    EXPECT_EQ(post(event_text("flaky", "u", "a"), "00-" + trace + "-00f067aa0ba902b7-01"), 202);
    EXPECT_EQ(post(event_text("e", "v", "b") + "\n" + event_text("purchase_made", "w", "c"),
                   "00-" + trace + "-00f067aa0ba902b7-00"),
              202);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 3));
    const auto first = attempt_of("a");
    EXPECT_EQ(first.at("trace_id").as_string(), trace);
    EXPECT_EQ(first.at("lane").as_string(), "default");
    EXPECT_EQ(first.at("outcome").as_string(), "transient");
    EXPECT_EQ(first.at("status").as_int64(), 503);
    EXPECT_FALSE(first.at("ambiguous").as_bool());
    EXPECT_GT(first.at("duration_ms").to_number<double>(), 0);
    EXPECT_TRUE(first.contains("answer"));
    const auto second = attempt_of("a", 2);
    EXPECT_EQ(second.at("trace_id").as_string(), trace);
    EXPECT_EQ(second.at("outcome").as_string(), "delivered");
    EXPECT_FALSE(second.contains("answer"));
    EXPECT_EQ(attempt_of("b").at("trace_id").as_string(), trace);
    EXPECT_EQ(attempt_of("c").at("trace_id").as_string(), trace);
    EXPECT_EQ(attempt_of("c").at("lane").as_string(), "revenue");
}

TEST_F(correlation, says_nothing_of_a_trace_where_there_was_none_or_not_a_valid_one) {
    start({{"log.level", "debug"}});
    EXPECT_EQ(post(event_text("e", "u", "a"), ""), 202);
    EXPECT_EQ(post(event_text("e", "u", "b"), "00-" + trace), 202);
    EXPECT_FALSE(attempt_of("a").contains("trace_id"));
    EXPECT_EQ(attempt_of("b").at("outcome").as_string(), "delivered");
    EXPECT_FALSE(attempt_of("b").contains("trace_id"));
}

TEST_F(correlation, names_the_trace_of_a_dead_letter_and_of_no_event_from_before_a_restart) {
    start_sandbox();
    api->add_faults("name=bad status=422; name=held status=401");
    start({{"log.level", "info"}});
    EXPECT_EQ(
        post(event_text("bad", "u", "a"), "00-" + trace + "-00f067aa0ba902b7-01", "/api/v1/capture-event"),
        201);
    const auto dead = daemon->wait_log("event moved to the dead letters");
    ASSERT_TRUE(dead);
    EXPECT_EQ(dead->at("trace_id").as_string(), trace);
    EXPECT_EQ(dead->at("lane").as_string(), "default");
    EXPECT_EQ(daemon->child().output().find("attempt ended"), std::string::npos);
    EXPECT_EQ(post(event_text("held", "u", "b"), "00-" + trace + "-00f067aa0ba902b7-01"), 202);
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    daemon->kill();
    api->clear_faults();
    start({{"log.level", "debug"}});
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_FALSE(attempt_of("b").contains("trace_id"));
}

} // namespace
} // namespace linkrunner::tests
