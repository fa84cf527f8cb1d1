// Two daemons in a row, and kill -9 on either side under load: what the sidecar has acknowledged arrives at
// the API, and the gateway stores nothing twice.
#include "support/handoff_test.hpp"

#include <atomic>
#include <csignal>
#include <random>
#include <set>
#include <thread>

namespace linkrunner::tests {
namespace {

using std::chrono::seconds;

class killed_in_handoff : public handoff_test {
  protected:
    killed_in_handoff() {
        sandbox::api_settings remembering = keyed();
        remembering.keep_events = 1'000'000;
        start_sandbox(remembering);
    }

    // Posts batches to the sidecar until it is told to stop; a batch without an answer is sent again.
    void load() {
        int batch = 0;
        while (!over_) {
            std::string lines;
            for (int i = 0; i < 50; ++i) {
                const std::string id = std::to_string(batch) + "-" + std::to_string(i);
                lines += event_text("load", "u" + std::to_string((batch + i) % 200), id) + "\n";
            }
            if (post(lines)) {
                for (int i = 0; i < 50; ++i) {
                    acknowledged_.insert(std::to_string(batch) + "-" + std::to_string(i));
                }
                ++batch;
                count_ += 50;
            }
        }
    }

    bool post(const std::string& lines) {
        try {
            wire_client client(address_);
            client.send(
                request_text("POST", "/v1/events", lines, {{"Content-Type", "application/x-ndjson"}}));
            const auto answer = client.receive();
            return answer && answer->status == 202;
        } catch (const std::exception&) {
            return false; // it is being started again
        }
    }

    bool wait_for_more(std::uint64_t more) {
        const std::uint64_t target = count_ + more;
        return gateway->wait_until([&](running_daemon&) { return count_ >= target; }, seconds(60));
    }

    void expect_everything() {
        EXPECT_TRUE(daemon->wait_ledger("pending", 0, seconds(60)));
        EXPECT_TRUE(gateway->wait_ledger("pending", 0, seconds(60)));
        std::set<std::string> received;
        for (const auto& event : api->events()) {
            received.insert(event.event_id);
        }
        EXPECT_EQ(received, acknowledged_);
        EXPECT_EQ(daemon->ledger("accepted"), acknowledged_.size());
        EXPECT_EQ(daemon->ledger("handed_off"), acknowledged_.size());
        EXPECT_EQ(gateway->ledger("accepted"), acknowledged_.size()) << "stored once each";
        EXPECT_EQ(daemon->ledger("lost") + gateway->ledger("lost"), 0U);
    }

    // Fixed from the first start on, so that the load finds it again.
    void start_sidecar_again() {
        start_relay({{"intake.listen", address_.empty() ? "unix:" + (home / "sidecar.sock") : address_}});
        address_ = daemon->listeners().at(0);
    }

    std::string address_;
    std::atomic<bool> over_ = false;
    std::atomic<std::uint64_t> count_ = 0;
    std::set<std::string> acknowledged_;
};

TEST_F(killed_in_handoff, on_either_side_loses_nothing_and_stores_nothing_twice) {
    start_gateway();
    start_sidecar_again();
    std::thread sender([this] { load(); });
    std::mt19937 random(42);
    for (int round = 0; round < 12; ++round) {
        SCOPED_TRACE(round);
        EXPECT_TRUE(wait_for_more(50 + random() % 1'500));
        if (random() % 2 == 0) {
            gateway->kill();
            start_gateway();
        } else {
            daemon->kill();
            start_sidecar_again();
        }
    }
    EXPECT_TRUE(wait_for_more(100));
    over_ = true;
    sender.join();
    expect_everything();
}

TEST_F(killed_in_handoff, of_the_gateway_while_a_backlog_is_handed_over_at_the_end_stores_nothing_twice) {
    api->set_listening(false);
    start_gateway();
    start_sidecar({{"shutdown.handoff_timeout", "150s"}});
    post_many(50'000);
    daemon->child().signal(SIGTERM);
    for (std::uint64_t some = 2'000; some <= 20'000; some += 6'000) {
        EXPECT_TRUE(
            gateway->wait_until([&](running_daemon& self) { return self.ledger("accepted") >= some; }));
        gateway->kill();
        start_gateway();
    }
    EXPECT_EQ(daemon->child().wait_exit(seconds(160)), 0);
    stopped = true;
    EXPECT_EQ(gateway->ledger("accepted"), 50'000U);
    start_sidecar();
    EXPECT_EQ(daemon->ledger("handed_off"), 50'000U);
    EXPECT_EQ(daemon->ledger("pending"), 0U);
    stopped = false;
}

TEST_F(killed_in_handoff, of_the_sidecar_while_it_hands_over_goes_on_at_the_next_start) {
    api->set_listening(false);
    start_gateway();
    start_sidecar({{"shutdown.handoff_timeout", "150s"}});
    post_many(50'000);
    daemon->child().signal(SIGTERM);
    EXPECT_TRUE(gateway->wait_until([](running_daemon& self) { return self.ledger("accepted") > 3'000; }));
    daemon->kill();
    start_sidecar();
    EXPECT_EQ(daemon->stop(seconds(160)), 0);
    EXPECT_EQ(gateway->ledger("accepted"), 50'000U);
}

} // namespace
} // namespace linkrunner::tests
