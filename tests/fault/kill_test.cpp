// kill -9 under load: what was acknowledged arrives, with the identity under which it was acknowledged.
#include "support/daemon_test.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace linkrunner::tests {
namespace {

using std::chrono::seconds;

// Sends events of its own, one by one or in batches, and keeps book of what was acknowledged. What was not is
// sent again with the same event_id, as a careful service does.
class sender {
  public:
    sender(std::string name, std::size_t listener, int batch)
        : name_(std::move(name)), listener_(listener), batch_(batch) {}

    // Until the connection breaks or `enough` says so.
    void run(const running_daemon& daemon, const std::function<bool()>& enough) {
        try {
            wire_client client = daemon.connect(listener_);
            while (!enough() && step(client)) {
            }
        } catch (const std::exception&) {
            // The daemon was killed before the connection was made.
        }
    }

    // Whatever was sent and not acknowledged.
    bool settle(const running_daemon& daemon) {
        wire_client client = daemon.connect(listener_);
        return open_.empty() || step(client);
    }

    const std::set<std::string>& acknowledged() const { return acknowledged_; }
    std::uint64_t made() const { return next_; }
    std::uint64_t acknowledged_count() const { return count_.load(); }

  private:
    bool step(wire_client& client) {
        while (open_.size() < static_cast<std::size_t>(batch_)) {
            open_.push_back(name_ + "-" + std::to_string(next_++));
        }
        std::string body;
        for (const std::string& id : open_) {
            body += event_text("load", name_, id) + (batch_ > 1 ? "\n" : "");
        }
        const std::string type = batch_ > 1 ? "application/x-ndjson" : "application/json";
        if (!client.send(request_text("POST", "/v1/events", body, {{"Content-Type", type}}))) {
            return false;
        }
        const auto answer = client.receive();
        if (!answer) {
            return false;
        }
        EXPECT_EQ(answer->status, 202) << answer->body;
        if (answer->status == 202) {
            acknowledged_.insert(open_.begin(), open_.end());
            count_ += open_.size();
            open_.clear();
        }
        return true;
    }

    std::string name_;
    std::size_t listener_;
    int batch_;
    std::uint64_t next_ = 0;
    std::vector<std::string> open_;
    std::set<std::string> acknowledged_;
    std::atomic<std::uint64_t> count_{0};
};

class killed : public daemon_test {
  protected:
    killed() {
        senders_.emplace_back("tcp-single", 0, 1);
        senders_.emplace_back("unix-single", 1, 1);
        senders_.emplace_back("tcp-batch", 0, 50);
        senders_.emplace_back("unix-batch", 1, 50);
    }

    std::uint64_t acknowledged() const {
        std::uint64_t out = 0;
        for (const sender& each : senders_) {
            out += each.acknowledged_count();
        }
        return out;
    }

    // Load until `more` further events are acknowledged, then the end comes in the middle of it.
    void round(std::uint64_t more) {
        start();
        const std::uint64_t target = acknowledged() + more;
        std::vector<std::thread> threads;
        std::atomic<bool> over = false;
        for (sender& each : senders_) {
            threads.emplace_back([&] { each.run(*daemon, [&] { return over.load(); }); });
        }
        EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return acknowledged() >= target; }));
        daemon->kill();
        over = true;
        for (std::thread& thread : threads) {
            thread.join();
        }
    }

    // Starts again and checks that everything acknowledged arrives.
    void expect_everything() {
        start();
        std::uint64_t made = 0;
        std::set<std::string> promised;
        for (sender& each : senders_) {
            EXPECT_TRUE(each.settle(*daemon));
            promised.insert(each.acknowledged().begin(), each.acknowledged().end());
            made += each.made();
        }
        EXPECT_EQ(promised.size(), made);
        EXPECT_TRUE(daemon->wait_ledger("pending", 0, seconds(150))); // one after the other, of four users
        std::set<std::string> received;
        for (const auto& event : api->events()) {
            received.insert(event.event_id);
        }
        EXPECT_EQ(received, promised);
        EXPECT_EQ(daemon->ledger("accepted"), promised.size());
        EXPECT_EQ(daemon->ledger("delivered"), promised.size());
        EXPECT_EQ(daemon->ledger("lost"), 0U);
    }

    static sandbox::api_settings remembering() {
        sandbox::api_settings out = keyed();
        out.keep_events = 1'000'000;
        return out;
    }

    std::deque<sender> senders_;
};

TEST_F(killed, under_load_many_times_loses_nothing_that_was_acknowledged) {
    start_sandbox(remembering());
    std::mt19937 random(20'240'601);
    for (int i = 0; i < 100; ++i) {
        SCOPED_TRACE(i);
        round(1 + random() % 400);
    }
    expect_everything();
    // Sent twice is only what was under way, or delivered without its mark on disk, when the end came.
    EXPECT_LT(api->duplicates(), api->unique());
}

TEST_F(killed, under_load_during_an_outage_loses_nothing) {
    start_sandbox(remembering());
    api->set_listening(false);
    std::mt19937 random(77);
    for (int i = 0; i < 8; ++i) {
        SCOPED_TRACE(i);
        round(1 + random() % 1'500);
    }
    api->set_listening(true);
    expect_everything();
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(killed, while_the_api_fails_in_every_way_loses_nothing) {
    start_sandbox(remembering());
    api->add_faults("probability=0.05 seed=1 status=500; probability=0.05 seed=2 reset; "
                    "probability=0.05 seed=3 lost; probability=0.02 seed=4 truncated; "
                    "probability=0.02 seed=5 status=429; probability=0.02 seed=6 connection=close");
    std::mt19937 random(78);
    for (int i = 0; i < 8; ++i) {
        SCOPED_TRACE(i);
        round(1 + random() % 300);
    }
    api->clear_faults();
    expect_everything();
}

TEST_F(killed, while_sending_an_event_that_must_not_be_repeated_does_not_repeat_it) {
    start_sandbox(remembering());
    api->add_faults("name=once hang processed");
    start({{"delivery.ambiguous", "dead"}});
    EXPECT_EQ(daemon->post(event_text("once", "u", "1")).status, 202);
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    daemon->kill();
    start();
    EXPECT_TRUE(daemon->wait_ledger("dead", 1));
    EXPECT_EQ(daemon->post(event_text("other", "u", "2")).status, 202);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(api->unique(), 2U);
}

TEST_F(killed, while_it_drains_loses_nothing) {
    start_sandbox(remembering());
    api->add_faults("delay=20ms");
    start({{"shutdown.drain", "30s"}, {"delivery.max_in_flight", "4"}});
    std::string lines;
    for (int i = 0; i < 300; ++i) {
        lines += event_text("e", "u" + std::to_string(i), std::to_string(i)) + "\n";
    }
    EXPECT_EQ(daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}}).status, 202);
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_log("stopping"));
    ASSERT_TRUE(api->wait_for_unique(40, patience));
    daemon->kill();
    api->clear_faults();
    start();
    EXPECT_TRUE(daemon->wait_ledger("delivered", 300));
    EXPECT_EQ(api->unique(), 300U);
}

} // namespace
} // namespace linkrunner::tests
