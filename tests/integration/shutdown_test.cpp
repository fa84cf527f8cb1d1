// Stopping and starting again: nothing lost, nothing sent twice.
#include "support/daemon_test.hpp"

#include <csignal>

namespace linkrunner::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class shutdown_of_the_daemon : public daemon_test {
  protected:
    void post_many(int count) {
        std::string lines;
        for (int i = 0; i < count; ++i) {
            lines += event_text("e", "u" + std::to_string(i), std::to_string(i)) + "\n";
        }
        EXPECT_EQ(daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}}).status, 202);
    }

    void stop_clean() { EXPECT_EQ(daemon->stop(), 0); }
};

TEST_F(shutdown_of_the_daemon, keeps_the_backlog_for_the_next_start) {
    start_sandbox(keyed());
    api->set_listening(false);
    start();
    post_many(100);
    stop_clean();
    api->set_listening(true);
    start();
    EXPECT_TRUE(api->wait_for_unique(100, patience));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 100));
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(daemon->ledger("accepted"), 100U);
}

TEST_F(shutdown_of_the_daemon, delivers_what_it_can_before_it_ends) {
    start_sandbox(keyed());
    api->add_faults("delay=20ms");
    start({{"shutdown.drain", "20s"}});
    post_many(200);
    stop_clean();
    EXPECT_EQ(api->unique(), 200U);
    const auto last = daemon->wait_log("linkrunnerd stopped");
    ASSERT_TRUE(last);
    EXPECT_EQ(last->at("pending").as_int64(), 0);
    start();
    EXPECT_EQ(daemon->ledger("delivered"), 200U);
    EXPECT_EQ(daemon->ledger("pending"), 0U);
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(shutdown_of_the_daemon, sends_nothing_twice_when_it_is_cut_short) {
    start_sandbox(keyed());
    api->add_faults("delay=30ms");
    start({{"shutdown.drain", "600ms"}, {"delivery.max_in_flight", "4"}});
    post_many(300);
    EXPECT_TRUE(api->wait_for_unique(8, patience));
    stop_clean();
    const auto last = daemon->wait_log("linkrunnerd stopped");
    ASSERT_TRUE(last);
    EXPECT_GT(last->at("pending").as_int64(), 0);
    api->clear_faults();
    start();
    EXPECT_TRUE(api->wait_for_unique(300, patience));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 300));
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(shutdown_of_the_daemon, takes_no_longer_than_its_drain_time) {
    start_sandbox(keyed());
    api->add_faults("hang");
    start({{"shutdown.drain", "500ms"}});
    post_many(10);
    EXPECT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests > 0; }, patience));
    const auto begun = steady_clock::now();
    stop_clean();
    EXPECT_LT(steady_clock::now() - begun, seconds(5));
}

TEST_F(shutdown_of_the_daemon, is_immediate_on_a_second_signal) {
    start_sandbox(keyed());
    api->add_faults("hang");
    start({{"shutdown.drain", "60s"}});
    post_many(10);
    EXPECT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests > 0; }, patience));
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_log("stopping"));
    const auto begun = steady_clock::now();
    stop_clean();
    EXPECT_LT(steady_clock::now() - begun, seconds(5));
    api->clear_faults();
    start();
    EXPECT_TRUE(api->wait_for_unique(10, patience));
    EXPECT_EQ(daemon->ledger("accepted"), 10U);
}

TEST_F(shutdown_of_the_daemon, works_with_sigint_too) {
    start();
    post_many(10);
    daemon->child().signal(SIGINT);
    EXPECT_EQ(daemon->child().wait_exit(), 0);
    stopped = true;
    EXPECT_EQ(api->unique(), 10U);
}

TEST_F(shutdown_of_the_daemon, refuses_new_events_and_says_that_it_is_not_ready) {
    start_sandbox(keyed());
    api->add_faults("hang");
    start({{"shutdown.drain", "30s"}});
    post_many(1);
    EXPECT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests > 0; }, patience));
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_log("stopping"));
    for (const std::size_t listener : {0U, 1U}) {
        EXPECT_TRUE(daemon->wait_until([&](running_daemon& self) {
            try {
                wire_client probe = self.connect(listener);
                return false;
            } catch (const std::exception&) {
                return true;
            }
        })) << listener;
    }
    const auto ready = daemon->observe("/readyz");
    EXPECT_EQ(ready.status, 503);
    EXPECT_NE(ready.body.find("draining"), std::string::npos);
    EXPECT_EQ(daemon->upstream_state(), "draining");
}

TEST_F(shutdown_of_the_daemon, answers_what_is_in_hand) {
    start();
    const std::string body = event_text("e", "u", "in-hand");
    wire_client client = daemon->connect();
    client.send(request_text("POST", "/v1/events", "",
                             {{"Content-Type", "application/json"},
                              {"Expect", "100-continue"},
                              {"Content-Length", std::to_string(body.size())}}));
    EXPECT_EQ(client.receive()->status, 100);
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_log("stopping"));
    client.send(body);
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header("connection"), "close");
    EXPECT_EQ(daemon->child().wait_exit(), 0);
    stopped = true;
    // Taken whole or refused whole: what it says must be true after the next start.
    start();
    EXPECT_EQ(daemon->ledger("accepted"), answer->status == 202 ? 1U : 0U);
    EXPECT_TRUE(answer->status == 202 || code_of(*answer) == "draining") << answer->status;
    stopped = false;
}

TEST_F(shutdown_of_the_daemon, leaves_a_clean_ledger_over_many_starts) {
    start_sandbox(keyed());
    for (int round = 1; round <= 5; ++round) {
        start();
        for (int i = 0; i < 10; ++i) {
            daemon->post(event_text("e", "u", std::to_string(round * 100 + i)));
        }
        if (round % 2 == 0) {
            stop_clean();
        } else {
            daemon->kill();
        }
    }
    start();
    EXPECT_TRUE(daemon->wait_ledger("delivered", 50));
    EXPECT_EQ(daemon->ledger("accepted"), 50U);
    EXPECT_EQ(api->unique(), 50U);
}

} // namespace
} // namespace linkrunner::tests
