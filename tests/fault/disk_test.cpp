// The disk runs full or is read-only: events are refused with the reason, deliveries go on, nothing is lost.
#include "support/capability.hpp"
#include "support/daemon_test.hpp"
#include "support/small_disk.hpp"

#include <gmock/gmock.h>

#include <optional>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class disk : public daemon_test {
  protected:
    void SetUp() override {
        if (!machine_can(small_disk::possible(), "a small file system can be mounted by root only")) {
            return;
        }
        small.emplace(std::size_t{24} << 20);
        start_sandbox();
        settings["spool.directory"] = *small / "spool";
        settings["delivery.hold_probe"] = "50ms";
    }

    void TearDown() override {
        daemon_test::TearDown();
        small.reset();
    }

    // A wrong key holds everything back; a probe notices soon when it is right again.
    void hold_deliveries() { api->set_key("another-key"); }
    void let_deliveries_go() { api->set_key(server_key); }

    // Posts until the daemon refuses; how many it took and the refusal.
    std::pair<std::uint64_t, http_answer> post_until_refused() {
        const std::string padding = "\"x\":\"" + std::string(20'000, 'x') + "\"";
        wire_client client = daemon->connect();
        for (std::uint64_t taken = 0; taken < 5'000; ++taken) {
            const std::string id = "id-" + std::to_string(next_++);
            auto answer = client.exchange(request_text("POST", "/v1/events", event_text("e", id, id, padding),
                                                       {{"Content-Type", "application/json"}}));
            if (answer.status != 202) {
                return {taken, answer};
            }
        }
        ADD_FAILURE() << "the disk never ran full";
        return {};
    }

    bool takes_events_again() {
        return daemon->wait_until([&](running_daemon& self) {
            const std::string id = "again-" + std::to_string(next_++);
            return self.post(event_text("e", id, id)).status == 202;
        });
    }

    std::optional<small_disk> small;
    int next_ = 0;
};

TEST_F(disk, that_is_full_of_the_spool_refuses_and_recovers_by_delivering) {
    hold_deliveries();
    start();
    const auto [taken, refused] = post_until_refused();
    EXPECT_GT(taken, 100U);
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(code_of(refused), "disk_full");
    EXPECT_GE(std::stoi(refused.header("retry-after")), 1);
    const auto ready = daemon->observe("/readyz");
    EXPECT_EQ(ready.status, 503);
    EXPECT_THAT(ready.body, HasSubstr("disk_full"));
    EXPECT_EQ(daemon->observe("/healthz").status, 200);
    EXPECT_EQ(daemon->ledger("accepted"), taken);
    let_deliveries_go();
    EXPECT_TRUE(api->wait_for_unique(taken, patience));
    EXPECT_TRUE(takes_events_again());
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(daemon->ledger("lost"), 0U);
}

TEST_F(disk, that_others_fill_does_not_stop_deliveries) {
    hold_deliveries();
    start();
    std::string lines;
    for (int i = 0; i < 500; ++i) {
        lines += event_text("e", "u" + std::to_string(i), std::to_string(i)) + "\n";
    }
    EXPECT_EQ(daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}}).status, 202);
    small->fill();
    const auto [taken, refused] = post_until_refused();
    EXPECT_EQ(code_of(refused), "disk_full");
    let_deliveries_go();
    EXPECT_TRUE(api->wait_for_unique(500 + taken, patience));
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
    small->make_room();
    EXPECT_TRUE(takes_events_again());
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(disk, that_is_full_at_the_start_does_not_keep_the_daemon_from_delivering) {
    hold_deliveries();
    small->fill(std::size_t{4} << 20);
    start();
    const auto [taken, refused] = post_until_refused();
    EXPECT_EQ(code_of(refused), "disk_full");
    daemon->kill();
    small->fill();
    start();
    EXPECT_EQ(daemon->ledger("pending"), taken);
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 503);
    let_deliveries_go();
    EXPECT_TRUE(api->wait_for_unique(taken, patience));
    small->make_room();
    EXPECT_TRUE(takes_events_again());
}

TEST_F(disk, that_is_full_while_the_daemon_is_killed_loses_nothing_that_was_accepted) {
    hold_deliveries();
    start();
    std::uint64_t taken = post_until_refused().first;
    daemon->kill();
    start();
    taken += post_until_refused().first;
    daemon->kill();
    let_deliveries_go();
    start();
    EXPECT_TRUE(api->wait_for_unique(taken, patience));
    EXPECT_EQ(daemon->ledger("lost"), 0U);
}

TEST_F(disk, that_is_full_has_room_for_what_was_delivered) {
    hold_deliveries();
    start();
    const auto [taken, refused] = post_until_refused();
    EXPECT_EQ(code_of(refused), "disk_full");
    small->fill();
    let_deliveries_go();
    EXPECT_TRUE(api->wait_for_unique(taken, patience));
    EXPECT_TRUE(daemon->wait_ledger("pending", 0));
    EXPECT_EQ(daemon->stop(), 0);
    start();
    EXPECT_EQ(daemon->ledger("pending"), 0U);
    EXPECT_TRUE(takes_events_again());
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(disk, that_is_read_only_at_the_start_is_said_and_ends_with_74) {
    hold_deliveries();
    start();
    EXPECT_EQ(daemon->post(event_text("e", "u", "1")).status, 202);
    EXPECT_EQ(daemon->stop(), 0);
    small->set_read_only(true);
    const auto [code, output] = run(daemon_command(linkrunnerd, settings));
    EXPECT_EQ(code, 74) << output;
    EXPECT_THAT(output, HasSubstr("Read-only file system"));
    small->set_read_only(false);
    let_deliveries_go();
    start();
    EXPECT_TRUE(api->wait_for_unique(1, patience));
}

} // namespace
} // namespace linkrunner::tests
