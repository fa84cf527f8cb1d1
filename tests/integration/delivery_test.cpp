// What becomes of an attempt (contract: delivery), each outcome brought about by the sandbox.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

#include <set>

namespace linkrunner::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class delivery : public daemon_test {
  protected:
    // The daemon against a sandbox with this script.
    void start_with(const std::string& faults, const setting_map& changes = {},
                    const sandbox::api_settings& behaviour = keyed()) {
        start_sandbox(behaviour);
        api->add_faults(faults);
        start(changes);
    }

    void post(const std::string& name, const std::string& user, const std::string& id = "") {
        EXPECT_EQ(daemon->post(event_text(name, user, id)).status, 202);
    }

    double attempts(const std::string& outcome) {
        return daemon->metric("linkrunnerd_attempts_total{outcome=\"" + outcome + "\"}");
    }
};

TEST_F(delivery, takes_any_2xx_for_success) {
    start_with("name=a status=200; name=b status=201; name=c status=202; name=d status=204");
    for (const char* name : {"a", "b", "c", "d"}) {
        post(name, name);
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 4));
    EXPECT_EQ(attempts("delivered"), 4);
}

TEST_F(delivery, sends_the_key_the_id_and_json) {
    sandbox::api_settings strict = keyed();
    start_sandbox(strict);
    start();
    post("e", "u", "1");
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    EXPECT_EQ(api->events().at(0).body, event_text("e", "u", "1"));
    EXPECT_EQ(api->sums().answers[201], 1U);
}

TEST_F(delivery, buries_what_the_api_rejects_and_goes_on) {
    start_with("name=s400 status=400; name=s409 status=409; name=s413 status=413; name=s414 status=414; "
               "name=s422 status=422; name=s418 status=418");
    for (const char* name :
         {"s400", "fine", "s409", "fine", "s413", "s414", "fine", "s422", "s418", "fine"}) {
        post(name, name);
    }
    EXPECT_TRUE(daemon->wait_ledger("dead", 6));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 4));
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dead_total{reason=\"rejected\"}"), 6);
    EXPECT_EQ(attempts("rejected"), 6);
    EXPECT_EQ(daemon->upstream_state(), "healthy");
    const auto buried = daemon->wait_log("event moved to the dead letters");
    ASSERT_TRUE(buried);
    EXPECT_EQ(buried->at("status").as_int64(), 400);
}

class transient_status : public delivery, public testing::WithParamInterface<int> {};

TEST_P(transient_status, is_tried_again_until_it_succeeds) {
    start_with("name=flaky count=2 status=" + std::to_string(GetParam()));
    post("flaky", "u", "1");
    post("fine", "v");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(attempts("transient"), 2);
    const bool ambiguous = GetParam() == 500 || GetParam() == 502 || GetParam() == 504;
    EXPECT_EQ(daemon->metric("linkrunnerd_attempts_ambiguous_total"), ambiguous ? 2 : 0);
    EXPECT_EQ(daemon->ledger("dead"), 0U);
}

INSTANTIATE_TEST_SUITE_P(each, transient_status, testing::Values(408, 425, 500, 502, 503, 504, 507, 599));

struct broken_exchange {
    const char* name;
    const char* script;
    bool ambiguous;
    std::uint64_t received; // by the API, with the first broken attempt
};

void PrintTo(const broken_exchange& what, std::ostream* out) {
    *out << what.name;
}

class broken : public delivery, public testing::WithParamInterface<broken_exchange> {};

TEST_P(broken, is_tried_again_with_the_same_event_id) {
    start_with(std::string("name=victim count=1 ") + GetParam().script,
               {{"upstream.request_timeout", "400ms"}});
    post("victim", "u", "the-id");
    ASSERT_TRUE(api->wait_for_events(GetParam().received, patience));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    const auto events = api->events();
    EXPECT_EQ(events.size(), GetParam().received);
    for (const auto& event : events) {
        EXPECT_EQ(event.event_id, "the-id");
    }
    EXPECT_EQ(daemon->metric("linkrunnerd_attempts_ambiguous_total"), GetParam().ambiguous ? 1 : 0);
    EXPECT_EQ(daemon->ledger("dead"), 0U);
}

INSTANTIATE_TEST_SUITE_P(each, broken,
                         testing::Values(broken_exchange{"lost", "lost", true, 2},
                                         broken_exchange{"reset", "reset", true, 1},
                                         broken_exchange{"close", "close", true, 1},
                                         broken_exchange{"hang", "hang", true, 1},
                                         broken_exchange{"truncated", "truncated", true, 2},
                                         broken_exchange{"garbage", "garbage", true, 1},
                                         broken_exchange{"late", "delay=3s", true, 2},
                                         broken_exchange{"error", "status=500 processed", true, 2}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_F(delivery, takes_odd_but_whole_answers) {
    start_with(
        "name=slow slow=1ms; name=interim interim=103; name=close connection=close; name=late delay=50ms");
    for (const char* name : {"slow", "interim", "close", "late", "fine"}) {
        post(name, name);
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 5));
    EXPECT_EQ(attempts("transient"), 0);
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(delivery, bounds_what_it_reads_of_an_answer) {
    start_with("count=1 big=20000000");
    post("e", "u", "1");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_TRUE(api->wait_for_events(1, patience));
}

TEST_F(delivery, takes_an_answer_that_comes_before_the_body_was_read) {
    start_with("early count=2 status=503");
    post("e", "u", "1");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
}

TEST_F(delivery, buries_one_poisonous_event_and_holds_up_no_other) {
    start_with("name=poison status=500", {{"delivery.max_attempts", "4"}});
    post("poison", "p");
    for (int i = 0; i < 30; ++i) {
        post("fine", "u" + std::to_string(i));
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 30));
    // Its attempts count while others succeed: a trickle of good events goes on until it is buried.
    int more = 0;
    EXPECT_TRUE(daemon->wait_until([&](running_daemon& self) {
        self.post(event_text("fine", "v" + std::to_string(++more)));
        return self.ledger("dead") == 1;
    }));
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dead_total{reason=\"attempts\"}"), 1);
}

TEST_F(delivery, does_not_repeat_an_ambiguous_attempt_where_that_is_the_choice) {
    start_with("name=victim lost", {{"delivery.ambiguous", "dead"}});
    post("victim", "u", "1");
    post("fine", "v", "2");
    EXPECT_TRUE(daemon->wait_ledger("dead", 1));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dead_total{reason=\"ambiguous\"}"), 1);
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(delivery, obeys_retry_after_in_seconds) {
    start_with("count=1 status=429 retry_after=2", {{"delivery.max_in_flight", "1"}});
    const auto begun = steady_clock::now();
    for (int i = 0; i < 5; ++i) {
        post("e", "u" + std::to_string(i));
    }
    ASSERT_TRUE(daemon->wait_state("throttled"));
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    EXPECT_GE(steady_clock::now() - begun, milliseconds(1'950));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 5));
    EXPECT_EQ(attempts("throttled"), 1);
}

TEST_F(delivery, measures_a_date_in_retry_after_against_the_date_of_the_answer) {
    sandbox::api_settings ahead = keyed();
    ahead.clock_skew = seconds(5'000);
    start_with("count=1 status=429 retry_after=date+2", {}, ahead);
    const auto begun = steady_clock::now();
    post("e", "u");
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    EXPECT_GE(steady_clock::now() - begun, milliseconds(950)); // dates have whole seconds
    EXPECT_LE(steady_clock::now() - begun, seconds(10));
}

TEST_F(delivery, obeys_no_retry_after_longer_than_the_limit) {
    start_with("count=1 status=429 retry_after=86400", {{"delivery.retry_after_max", "300ms"}});
    post("e", "u");
    EXPECT_TRUE(api->wait_for_unique(1, seconds(10)));
}

TEST_F(delivery, pauses_the_whole_upstream_on_a_503_with_retry_after) {
    start_with("count=1 status=503 retry_after=1", {{"delivery.max_in_flight", "1"}});
    const auto begun = steady_clock::now();
    for (int i = 0; i < 5; ++i) {
        post("e", "u" + std::to_string(i));
    }
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    EXPECT_GE(steady_clock::now() - begun, milliseconds(950));
}

TEST_F(delivery, counts_no_429_as_an_attempt_of_the_event) {
    start_with("count=4 status=429", {{"delivery.max_attempts", "1"}, {"delivery.max_in_flight", "1"}});
    post("e", "u");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_EQ(attempts("throttled"), 4);
}

TEST_F(delivery, is_never_faster_than_allowed) {
    sandbox::api_settings limited = keyed();
    limited.rate = {40, 1, sandbox::rate_kind::sliding};
    start_with("every=7 status=500", {{"delivery.rate", "36/s"}, {"delivery.burst", "1"}}, limited);
    for (int i = 0; i < 60; ++i) {
        post("e", "u" + std::to_string(i));
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 60));
    EXPECT_EQ(api->sums().answers[429], 0U);
    std::uint64_t peak = 0;
    api->with([&](sandbox::api& core, sandbox::server&) { peak = core.peak_per_second(); });
    EXPECT_LE(peak, 38U);
    EXPECT_GE(peak, 10U);
}

TEST_F(delivery, survives_a_limit_lower_than_its_own_rate) {
    sandbox::api_settings limited = keyed();
    limited.rate = {50, 1, sandbox::rate_kind::window};
    limited.retry_after = sandbox::retry_after_kind::exact;
    start_with("", {{"delivery.rate", "200/s"}, {"delivery.burst", "1"}}, limited);
    for (int i = 0; i < 100; ++i) {
        post("e", "u" + std::to_string(i));
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 100));
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_GT(attempts("throttled"), 0);
    EXPECT_LT(daemon->metric("linkrunnerd_rate_limit_current"), 200);
}

TEST_F(delivery, finds_the_limit_where_none_is_configured) {
    sandbox::api_settings limited = keyed();
    limited.rate = {50, 1, sandbox::rate_kind::window};
    start_with("", {{"delivery.rate", "auto"}}, limited);
    for (int i = 0; i < 150; ++i) {
        post("e", "u" + std::to_string(i));
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 150));
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_TRUE(daemon->status().at("upstream").at("rate_ceiling_per_second").is_null());
    const double found = daemon->metric("linkrunnerd_rate_limit_current");
    EXPECT_GT(found, 5);
    EXPECT_LT(found, 200);
}

TEST_F(delivery, buries_the_ambiguous_attempts_of_the_events_that_are_named) {
    start_with("name=purchase_made lost; name=seen count=1 lost",
               {{"events.rules", "[{names: [\"purchase_*\"], ambiguous: dead}]"}});
    post("purchase_made", "u", "1");
    post("seen", "v", "2");
    EXPECT_TRUE(daemon->wait_ledger("dead", 1));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dead_total{reason=\"ambiguous\"}"), 1);
}

TEST_F(delivery, buries_what_is_too_old_by_the_age_that_holds_for_its_name) {
    start_with(
        "", {{"delivery.rate", "2/s"},
             {"delivery.burst", "1"},
             {"delivery.max_age", "1s"},
             {"events.rules", "[{names: [\"kept_*\"], max_age: off}, {names: [\"long_*\"], max_age: 1h}]"}});
    for (const char* user : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
        post("seen", user);
    }
    post("kept_for_ever", "u", "1");
    post("long_kept", "v", "2");
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
    const auto dead = daemon->ledger("dead");
    EXPECT_GE(dead, 5U);
    EXPECT_LE(dead, 8U);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dead_total{reason=\"age\"}"), static_cast<double>(dead));
    std::set<std::string> ids;
    for (const auto& event : api->events()) {
        ids.insert(event.event_id);
    }
    EXPECT_TRUE(ids.contains("1") && ids.contains("2"));
}

TEST_F(delivery, rides_an_outage_out_and_burns_no_attempts) {
    start_sandbox(keyed());
    api->set_listening(false);
    start({{"delivery.max_attempts", "2"}});
    for (int i = 0; i < 50; ++i) {
        post("e", "u" + std::to_string(i % 10), std::to_string(i));
    }
    EXPECT_TRUE(daemon->wait_state("outage"));
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return attempts("transient") >= 6; }));
    EXPECT_EQ(daemon->ledger("pending"), 50U);
    EXPECT_NE(daemon->status().at("upstream").at("last_error").at("what").as_string(), "");
    api->set_listening(true);
    EXPECT_TRUE(api->wait_for_unique(50, patience));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 50));
    EXPECT_EQ(daemon->ledger("dead"), 0U);
    EXPECT_TRUE(daemon->wait_state("healthy"));
    std::map<std::string, int> last;
    for (const auto& event : api->events()) {
        EXPECT_GT(std::stoi(event.event_id), last.contains(event.user) ? last[event.user] : -1);
        last[event.user] = std::stoi(event.event_id);
    }
}

TEST_F(delivery, keeps_the_order_of_each_user_through_failures) {
    start_with("probability=0.3 seed=11 status=503; probability=0.1 seed=12 reset");
    std::string batch;
    for (int i = 0; i < 200; ++i) {
        batch += event_text("e", "u" + std::to_string(i % 20), std::to_string(i)) + "\n";
    }
    daemon->post(batch, "/v1/events", {{"Content-Type", "application/x-ndjson"}});
    ASSERT_TRUE(api->wait_for_unique(200, patience));
    std::map<std::string, int> last;
    for (const auto& event : api->events()) {
        const int number = std::stoi(event.event_id);
        EXPECT_GT(number, last.contains(event.user) ? last[event.user] : -1) << event.user;
        last[event.user] = number;
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 200));
}

TEST_F(delivery, sends_revenue_before_the_rest_and_starves_nobody) {
    start_sandbox(keyed());
    api->set_listening(false);
    start({{"delivery.max_in_flight", "1"}});
    for (int i = 0; i < 40; ++i) {
        post("page_viewed", "u" + std::to_string(i), "d" + std::to_string(i));
    }
    for (int i = 0; i < 20; ++i) {
        const std::string user = "r" + std::to_string(i);
        EXPECT_EQ(daemon
                      ->post(event_text(i % 2 == 0 ? "purchase_completed" : "tip", user, user,
                                        R"("event_data":{"amount":1})"))
                      .status,
                  202);
    }
    api->set_listening(true);
    ASSERT_TRUE(api->wait_for_unique(60, patience));
    const auto events = api->events();
    std::size_t last_revenue = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        last_revenue = events[i].event_id[0] == 'r' ? i : last_revenue;
    }
    EXPECT_LT(last_revenue, 30U); // 8 to 1
    EXPECT_GT(last_revenue, 20U); // nobody starves
}

TEST_F(delivery, keeps_connections_open_and_reuses_them) {
    start_with("");
    for (int i = 0; i < 100; ++i) {
        post("e", "u" + std::to_string(i));
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", 100));
    EXPECT_LE(api->sums().connections, 32U);
}

TEST_F(delivery, notices_connections_that_went_stale) {
    start_with("");
    post("e", "u", "1");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    api->drop_connections();
    post("e", "u", "2");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(api->duplicates(), 0U);
}

} // namespace
} // namespace linkrunner::tests
