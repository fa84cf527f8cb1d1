// Holds: what is wrong is the key, the account or the address, and not the event. Nothing is lost meanwhile.
#include "support/daemon_test.hpp"

#include <filesystem>

namespace linkrunner::tests {
namespace {

using std::chrono::seconds;

class hold : public daemon_test {
  protected:
    void post(const std::string& name, const std::string& user, const std::string& id = "") {
        EXPECT_EQ(daemon->post(event_text(name, user, id)).status, 202);
    }

    // Replaced by rename, as editors and Kubernetes do it.
    void write_key(const std::string& key) {
        home.write("key.new", key + "\n");
        std::filesystem::rename(home / "key.new", home / "key");
    }
};

TEST_F(hold, on_a_wrong_key_ends_when_the_key_file_changes) {
    start_sandbox(keyed());
    home.write("key", "an-0ld-key\n");
    start({{"upstream.server_key_file", home / "key"}, {"delivery.hold_probe", "1h"}});
    for (int i = 0; i < 20; ++i) {
        post("e", "u" + std::to_string(i));
    }
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    const std::uint64_t asked = api->sums().requests;
    EXPECT_LE(asked, 20U);
    EXPECT_EQ(daemon->ledger("pending"), 20U);
    EXPECT_EQ(daemon->observe("/readyz").status, 200); // events are still taken
    write_key(server_key);
    EXPECT_TRUE(api->wait_for_unique(20, patience));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 20));
    EXPECT_TRUE(daemon->wait_state("healthy"));
    EXPECT_EQ(daemon->child().output().find("an-0ld-key"), std::string::npos);
}

TEST_F(hold, of_a_key_that_is_rotated_under_load_loses_and_doubles_nothing) {
    start_sandbox(keyed());
    write_key(server_key);
    start({{"upstream.server_key_file", home / "key"},
           {"delivery.hold_probe", "1h"},
           {"delivery.rate", "1000/s"},
           {"delivery.max_attempts", "1"}});
    constexpr int count = 3'000;
    std::string lines;
    for (int i = 0; i < count; ++i) {
        lines += event_text("e", "u" + std::to_string(i % 300), std::to_string(i)) + "\n";
    }
    EXPECT_EQ(daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}}).status, 202);
    for (const char* next : {"the-second-key", "the-third-key"}) {
        const std::uint64_t before = api->unique();
        ASSERT_TRUE(api->wait_for_unique(before + 300, patience));
        api->set_key(next);
        write_key(next);
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", count));
    EXPECT_EQ(api->unique(), static_cast<std::uint64_t>(count));
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(daemon->ledger("dead"), 0U);
    EXPECT_TRUE(daemon->wait_state("healthy"));
}

TEST_F(hold, on_a_wrong_key_ends_on_sighup) {
    start_sandbox(keyed());
    home.write("key", "an-0ld-key\n");
    start({{"upstream.server_key_file", home / "key"}, {"delivery.hold_probe", "1h"}});
    post("e", "u");
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    write_key(server_key);
    daemon->child().signal(SIGHUP);
    EXPECT_TRUE(api->wait_for_unique(1, patience));
}

TEST_F(hold, of_any_kind_is_probed_on_sighup) {
    start_sandbox(keyed());
    api->add_faults("status=402");
    start({{"delivery.hold_probe", "1h"}});
    post("e", "u");
    ASSERT_TRUE(daemon->wait_state("held_suspended"));
    api->clear_faults();
    daemon->child().signal(SIGHUP);
    EXPECT_TRUE(api->wait_for_unique(1, patience));
}

TEST_F(hold, on_a_wrong_key_ends_by_a_probe_when_the_api_takes_it_again) {
    start_sandbox(keyed());
    api->set_key("another-key");
    start({{"delivery.hold_probe", "100ms"}, {"delivery.max_attempts", "1"}});
    for (int i = 0; i < 5; ++i) {
        post("e", "u" + std::to_string(i));
    }
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    const auto before = api->sums().requests;
    EXPECT_TRUE(
        api->wait_until([&](sandbox::api& core) { return core.sums().requests >= before + 3; }, patience));
    api->set_key(server_key);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 5));
    EXPECT_EQ(daemon->ledger("dead"), 0U);
}

struct held_status {
    int status;
    const char* state;
};

void PrintTo(const held_status& what, std::ostream* out) {
    *out << what.status;
}

class held : public hold, public testing::WithParamInterface<held_status> {};

TEST_P(held, holds_the_path_and_loses_nothing) {
    start_sandbox(keyed());
    api->add_faults("status=" + std::to_string(GetParam().status));
    start({{"delivery.hold_probe", "50ms"}, {"delivery.max_attempts", "1"}});
    for (int i = 0; i < 10; ++i) {
        post("e", "u" + std::to_string(i));
    }
    ASSERT_TRUE(daemon->wait_state(GetParam().state));
    EXPECT_EQ(daemon->ledger("pending"), 10U);
    EXPECT_EQ(daemon->metric(std::string("linkrunnerd_upstream_state{state=\"") + GetParam().state + "\"}"),
              1);
    api->clear_faults();
    EXPECT_TRUE(daemon->wait_ledger("delivered", 10));
    EXPECT_EQ(daemon->ledger("dead"), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    each, held,
    testing::Values(held_status{401, "held_unauthorized"}, held_status{403, "held_unauthorized"},
                    held_status{402, "held_suspended"}, held_status{301, "held_misconfigured"},
                    held_status{404, "held_misconfigured"}, held_status{405, "held_misconfigured"},
                    held_status{407, "held_misconfigured"}, held_status{415, "held_misconfigured"},
                    held_status{421, "held_misconfigured"}, held_status{501, "held_misconfigured"},
                    held_status{511, "held_misconfigured"}));

TEST_F(hold, of_one_event_that_a_firewall_dislikes_does_not_stop_the_rest) {
    start_sandbox(keyed());
    api->add_faults("name=disliked status=403");
    start({{"delivery.hold_probe", "30ms"}, {"delivery.max_attempts", "3"}});
    post("disliked", "u");
    for (int i = 0; i < 10; ++i) {
        post("fine", "v" + std::to_string(i));
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 10));
    int more = 0;
    EXPECT_TRUE(daemon->wait_until([&](running_daemon& self) {
        self.post(event_text("fine", "w" + std::to_string(++more)));
        return self.ledger("dead") == 1;
    }));
}

TEST_F(hold, never_follows_a_redirect) {
    const auto elsewhere = sandbox::background::start().value();
    start_sandbox(keyed());
    api->add_faults("redirect=" + elsewhere->url() + "/capture-event status=307");
    start({{"delivery.hold_probe", "50ms"}});
    post("e", "u");
    ASSERT_TRUE(daemon->wait_state("held_misconfigured"));
    EXPECT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests >= 3; }, patience));
    EXPECT_EQ(elsewhere->sums().requests, 0U);
}

TEST_F(hold, begins_when_twenty_different_events_in_a_row_are_rejected) {
    start_sandbox(keyed());
    api->add_faults("status=400");
    start({{"delivery.hold_probe", "50ms"}, {"delivery.max_in_flight", "1"}});
    for (int i = 0; i < 60; ++i) {
        post("e", "u" + std::to_string(i));
    }
    ASSERT_TRUE(daemon->wait_state("held_rejecting"));
    const std::uint64_t dead = daemon->ledger("dead");
    EXPECT_LE(dead, 25U);
    EXPECT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests >= 23; }, patience));
    EXPECT_EQ(daemon->upstream_state(), "held_rejecting");
    api->clear_faults();
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
    EXPECT_LE(daemon->ledger("dead"), 25U);
}

} // namespace
} // namespace linkrunner::tests
