// Odd answers, and none, over real sockets: the class of the attempt, whether it is ambiguous, what the API
// has received, and where the event ends.
#include "support/daemon_test.hpp"
#include "support/net_raw_server.hpp"

#include <gmock/gmock.h>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class answers : public daemon_test {
  protected:
    double attempts(const std::string& outcome) {
        return daemon->metric("linkrunnerd_attempts_total{outcome=\"" + outcome + "\"}");
    }
    double ambiguous() { return daemon->metric("linkrunnerd_attempts_ambiguous_total"); }

    // Too large for the buffers of a peer that does not read.
    void post_large(const std::string& user, const std::string& id) {
        const std::string data = "\"event_data\":{\"x\":\"" + std::string(900'000, 'x') + "\"}";
        EXPECT_EQ(daemon->post(event_text("e", user, id, data)).status, 202);
    }
};

struct exchange {
    const char* name;
    const char* script; // of the sandbox, for the first request
    const char* outcome;
    bool ambiguous = false;
    std::uint64_t received = 1; // by the API in the end, with the first attempt
    const char* end = "delivered";
    const char* request_timeout = "15s";
};

void PrintTo(const exchange& what, std::ostream* out) {
    *out << what.name;
}

class answer_table : public answers, public testing::WithParamInterface<exchange> {
  protected:
    // The attempts in all when the first one is not the last.
    bool ends_at_once() {
        return std::string_view(GetParam().outcome) == "delivered" ||
               std::string_view(GetParam().outcome) == "rejected";
    }

    void start_and_post(const std::string& if_ambiguous) {
        start_sandbox();
        api->add_faults(std::string("count=1 ") + GetParam().script);
        start(
            {{"upstream.request_timeout", GetParam().request_timeout}, {"delivery.ambiguous", if_ambiguous}});
        post_large("u", "the-id");
    }
};

TEST_P(answer_table, is_kept_to) {
    start_and_post("retry");
    EXPECT_TRUE(daemon->wait_ledger(GetParam().end, 1));
    EXPECT_EQ(attempts(GetParam().outcome), 1);
    EXPECT_EQ(attempts("delivered"), std::string_view(GetParam().end) == "delivered" ? 1 : 0);
    EXPECT_EQ(ambiguous(), GetParam().ambiguous ? 1 : 0);
    EXPECT_EQ(api->sums().requests, ends_at_once() ? 1U : 2U);
    const auto events = api->events();
    EXPECT_EQ(events.size(), GetParam().received);
    for (const auto& event : events) {
        EXPECT_EQ(event.event_id, "the-id");
    }
    EXPECT_EQ(daemon->ledger("pending"), 0U);
}

TEST_P(answer_table, is_kept_to_where_ambiguous_attempts_are_buried) {
    start_and_post("dead");
    const char* end = GetParam().ambiguous ? "dead" : GetParam().end;
    EXPECT_TRUE(daemon->wait_ledger(end, 1));
    EXPECT_EQ(attempts(GetParam().outcome), 1);
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dead_total{reason=\"ambiguous\"}"),
              GetParam().ambiguous ? 1 : 0);
    EXPECT_EQ(daemon->ledger("pending"), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    each, answer_table,
    testing::Values(exchange{"slow", "slow=1ms", "delivered"},
                    exchange{"slower_than_request_timeout", "slow=50ms", "transient", true, 2, "delivered",
                             "2s"},
                    exchange{"early_413", "early status=413 big=50000", "rejected", false, 0, "dead"},
                    exchange{"early_429", "early status=429 big=50000", "throttled"},
                    exchange{"early_503", "early status=503 big=50000", "transient"},
                    exchange{"continue_100", "interim=100", "delivered"},
                    exchange{"processing_102", "interim=102", "delivered"},
                    exchange{"hints_103", "interim=103", "delivered"},
                    exchange{"several_1xx", "interim=100,102,103,103,110", "delivered"},
                    exchange{"interim_before_429", "interim=100,103 status=429", "throttled"},
                    exchange{"upgrade_101", "interim=101", "transient", true, 2},
                    exchange{"close_after_201", "connection=close", "delivered"},
                    exchange{"close_after_429", "connection=close status=429", "throttled"},
                    exchange{"close_after_500", "connection=close status=500", "transient", true},
                    exchange{"close_after_422", "connection=close status=422", "rejected", false, 0, "dead"},
                    exchange{"http_1_0_success", "http=1.0", "delivered"},
                    exchange{"http_1_0_503", "http=1.0 status=503", "transient"},
                    exchange{"http_1_0_429", "http=1.0 status=429", "throttled"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST_F(answers, that_each_close_their_connection_cost_a_connection_each_and_nothing_else) {
    start_sandbox();
    api->add_faults("connection=close");
    start();
    for (int i = 0; i < 40; ++i) {
        EXPECT_EQ(daemon->post(event_text("e", "u" + std::to_string(i))).status, 202);
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 40));
    EXPECT_EQ(attempts("transient"), 0);
    EXPECT_EQ(ambiguous(), 0);
    EXPECT_EQ(api->sums().requests, 40U);
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(answers, that_say_that_no_requests_remain_stop_the_next_one_until_the_reset) {
    start_sandbox();
    api->add_faults(R"(count=1 header='RateLimit: "default";r=0;t=2')");
    start({{"delivery.max_in_flight", "1"}});
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(daemon->post(event_text("e", "u" + std::to_string(i))).status, 202);
    }
    ASSERT_TRUE(daemon->wait_state("throttled"));
    EXPECT_TRUE(api->wait_for_unique(2, patience));
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(1'950));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 5));
    EXPECT_EQ(attempts("throttled"), 0);
}

// Answered while most of the request is still here.
struct cut_request {
    int status;
    const char* outcome;
    bool dead = false;
};

void PrintTo(const cut_request& what, std::ostream* out) {
    *out << what.status;
}

class answer_to_a_part : public answers, public testing::WithParamInterface<cut_request> {};

TEST_P(answer_to_a_part, is_never_ambiguous) {
    const raw_server upstream("127.0.0.1", 128, true);
    settings = test_settings(home, "http://" + upstream.address() + "/api/v1");
    api = sandbox::background::start().value(); // not used
    start({{"delivery.ambiguous", "dead"}});
    post_large("u", "the-id");
    auto first = upstream.accept();
    first.read_until("\r\n\r\n");
    first.send("HTTP/1.1 " + std::to_string(GetParam().status) + " Early\r\nContent-Length: 50000\r\n\r\n" +
               std::string(50'000, 'y'));
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return attempts(GetParam().outcome) == 1; }));
    first.read_to_end(); // the connection is of no use any more
    if (!GetParam().dead) {
        auto second = upstream.accept();
        EXPECT_THAT(read_request(second), HasSubstr("the-id"));
        second.send("HTTP/1.0 201 Created\r\n\r\nwithout a length, to the end of the stream");
        second.close();
    }
    EXPECT_TRUE(daemon->wait_ledger(GetParam().dead ? "dead" : "delivered", 1));
    EXPECT_EQ(ambiguous(), 0);
    EXPECT_EQ(daemon->ledger("pending"), 0U);
}

INSTANTIATE_TEST_SUITE_P(of, answer_to_a_part,
                         testing::Values(cut_request{201, "transient"}, cut_request{413, "rejected", true},
                                         cut_request{422, "rejected", true}, cut_request{429, "throttled"},
                                         cut_request{500, "transient"}, cut_request{502, "transient"},
                                         cut_request{503, "transient"}, cut_request{504, "transient"}),
                         testing::PrintToStringParamName());

TEST_F(answers, are_not_looked_for_where_the_name_of_the_api_does_not_resolve) {
    start({{"upstream.url", "http://api.linkrunner.invalid/api/v1"}, {"delivery.max_attempts", "1"}});
    for (const char* user : {"a", "b", "c"}) {
        EXPECT_EQ(daemon->post(event_text("e", user)).status, 202);
    }
    ASSERT_TRUE(daemon->wait_state("outage"));
    EXPECT_THAT(std::string(daemon->status().at("upstream").at("last_error").at("what").as_string()),
                HasSubstr("api.linkrunner.invalid"));
    EXPECT_GE(attempts("transient"), 1);
    EXPECT_EQ(ambiguous(), 0);
    EXPECT_EQ(daemon->ledger("pending"), 3U);
}

} // namespace
} // namespace linkrunner::tests
