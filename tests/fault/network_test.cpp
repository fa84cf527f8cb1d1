// The network swallows packets, or knows no name: what is said, what is ambiguous, and that nothing is lost.
#include "support/capability.hpp"
#include "support/daemon_test.hpp"
#include "support/private_network.hpp"

#include <gmock/gmock.h>

#include <optional>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class network : public daemon_test {
  protected:
    void SetUp() override {
        if (!machine_can(private_network::possible(),
                         "a network namespace can be made by root with nft only")) {
            return;
        }
        net.emplace();
        start_sandbox();
        settings["upstream.connect_timeout"] = "1s";
        settings["upstream.request_timeout"] = "1s";
        settings["delivery.max_attempts"] = "1"; // an outage must not cost one
    }

    void TearDown() override {
        daemon_test::TearDown();
        api.reset();
        net.reset();
    }

    std::string port() { return std::to_string(api->port()); }
    void swallow_requests() { net->swallow("tcp dport " + port()); }
    void swallow_answers() { net->swallow("tcp sport " + port()); }

    void post(const std::string& user) {
        EXPECT_EQ(daemon->post(event_text("e", user, "id-" + user)).status, 202);
    }
    double ambiguous() { return daemon->metric("linkrunnerd_attempts_ambiguous_total"); }
    double failed() { return daemon->metric("linkrunnerd_attempts_total{outcome=\"transient\"}"); }
    std::string last_error() {
        return std::string(daemon->status().at("upstream").at("last_error").at("what").as_string());
    }

    std::optional<private_network> net;
};

TEST_F(network, that_swallows_connects_is_an_outage_and_nothing_is_ambiguous) {
    swallow_requests();
    start();
    for (const char* user : {"a", "b", "c", "d", "e"}) {
        post(user);
    }
    ASSERT_TRUE(daemon->wait_state("outage"));
    EXPECT_THAT(last_error(), HasSubstr("no connection to 127.0.0.1:" + port() + " within 1000 ms"));
    EXPECT_GE(failed(), 1);
    EXPECT_EQ(ambiguous(), 0);
    EXPECT_EQ(daemon->ledger("pending"), 5U);
    EXPECT_EQ(api->sums().connections, 0U);
    net->heal();
    EXPECT_TRUE(daemon->wait_ledger("delivered", 5));
    EXPECT_EQ(daemon->ledger("dead"), 0U);
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(network, that_swallows_one_address_of_the_api_costs_no_attempt) {
    net->add_host("::1 api.example.test");
    net->add_host("127.0.0.1 api.example.test");
    net->swallow("ip6 daddr ::1 tcp dport " + port());
    start({{"upstream.url", "http://api.example.test:" + port() + "/api/v1"},
           {"upstream.connect_timeout", "5s"}});
    post("a");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_EQ(failed(), 0);
}

// The daemon cannot know whether the API has got the request. Here it has not, and must not get it later from
// the kernel, behind its repetition.
TEST_F(network, that_swallows_requests_on_a_kept_connection_makes_them_ambiguous_and_delivers_each_once) {
    start();
    post("a");
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    swallow_requests();
    post("b");
    ASSERT_TRUE(daemon->wait_until([&](running_daemon&) { return ambiguous() == 1; }));
    EXPECT_EQ(daemon->ledger("pending"), 1U);
    ASSERT_TRUE(daemon->wait_until([&](running_daemon&) { return failed() >= 2; }));
    EXPECT_EQ(ambiguous(), 1); // those that could not even connect are not
    net->heal();
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(api->events().size(), 2U);
    EXPECT_EQ(daemon->ledger("dead"), 0U);
}

TEST_F(network, that_swallows_answers_makes_attempts_ambiguous_and_they_are_repeated_under_their_id) {
    start();
    post("a");
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    swallow_answers();
    post("b");
    ASSERT_TRUE(api->wait_for_events(2, patience));
    ASSERT_TRUE(daemon->wait_until([&](running_daemon&) { return ambiguous() == 1; }));
    net->heal();
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    const auto events = api->events();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[1].event_id, "id-b");
    EXPECT_EQ(events[2].event_id, "id-b");
    EXPECT_EQ(daemon->ledger("dead"), 0U);
}

TEST_F(network, that_swallows_answers_buries_attempts_where_that_is_the_choice) {
    start({{"delivery.ambiguous", "dead"}});
    post("a");
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    swallow_answers();
    post("b");
    EXPECT_TRUE(daemon->wait_ledger("dead", 1));
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dead_total{reason=\"ambiguous\"}"), 1);
    net->heal();
    post("c");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(ambiguous(), 1);
}

TEST_F(network, without_the_name_of_the_api_is_an_outage_until_the_name_is_there) {
    start({{"upstream.url", "http://api.example.test:" + port() + "/api/v1"},
           {"upstream.connect_timeout", "5s"}});
    for (const char* user : {"a", "b", "c"}) {
        post(user);
    }
    ASSERT_TRUE(daemon->wait_state("outage"));
    EXPECT_THAT(last_error(), HasSubstr("look up api.example.test: "));
    EXPECT_EQ(ambiguous(), 0);
    EXPECT_EQ(daemon->ledger("pending"), 3U);
    net->add_host("127.0.0.1 api.example.test");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 3));
    EXPECT_EQ(daemon->ledger("dead"), 0U);
    EXPECT_EQ(api->duplicates(), 0U);
}

} // namespace
} // namespace linkrunner::tests
