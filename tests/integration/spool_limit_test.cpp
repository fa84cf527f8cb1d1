// A spool at its limit (spool.max_bytes, spool.when_full), and dead letters at theirs (spool.dead).
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class spool_limit : public daemon_test {
  protected:
    // Nothing is delivered as long as the key is wrong.
    void start_held(setting_map changes) {
        start_sandbox();
        api->set_key("another-key");
        changes["delivery.hold_probe"] = "50ms";
        changes["spool.max_bytes"] = "1MiB";
        start(changes);
    }
    http_answer post_one(wire_client& client, const std::string& name) {
        const std::string id = name + std::to_string(next_++);
        return client.exchange(request_text("POST", "/v1/events",
                                            event_text(name, id, id, "\"x\":\"" + padding_ + "\""),
                                            {{"Content-Type", "application/json"}}));
    }

    const std::string padding_ = std::string(2000, 'x');
    int next_ = 0;
};

TEST_F(spool_limit, refuses_events_by_default) {
    start_held({});
    wire_client client = daemon->connect();
    int taken = 0;
    http_answer answer;
    while (taken < 2000 && (answer = post_one(client, "level_completed")).status == 202) {
        ++taken;
    }
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(code_of(answer), "queue_full");
    EXPECT_THAT(daemon->observe("/readyz").body, HasSubstr("queue_full"));
    EXPECT_EQ(daemon->ledger("dropped"), 0U);
    api->set_key(server_key);
    EXPECT_TRUE(api->wait_for_unique(static_cast<std::size_t>(taken), patience));
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return post_one(client, "e").status == 202; }));
}

TEST_F(spool_limit, drops_the_oldest_where_that_is_wanted_and_never_revenue) {
    start_held({{"spool.when_full", "drop_oldest"}});
    wire_client client = daemon->connect();
    int revenue = 0;
    for (int i = 0; i < 2000; ++i) {
        const bool pays = i % 20 == 0;
        revenue += pays ? 1 : 0;
        ASSERT_EQ(post_one(client, pays ? "purchase_completed" : "level_completed").status, 202) << i;
    }
    EXPECT_EQ(daemon->observe("/readyz").status, 200);
    EXPECT_GT(daemon->ledger("dropped"), 1000U);
    EXPECT_EQ(daemon->ledger("accepted"), 2000U);
    api->set_key(server_key);
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
    const std::uint64_t dropped =
        daemon->ledger("dropped"); // room is made a little ahead, also after the last
    EXPECT_EQ(daemon->ledger("delivered"), 2000U - dropped);
    EXPECT_EQ(api->unique(), 2000U - dropped) << "what was dropped was not sent";
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dropped_total{reason=\"queue_full\"}"),
              static_cast<double>(dropped));
    const auto received = api->events();
    EXPECT_EQ(std::ranges::count(received, "purchase_completed", &sandbox::received_event::name), revenue);
}

} // namespace
} // namespace linkrunner::tests
