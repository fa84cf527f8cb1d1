// One linkrunnerd hands events to another: all the time (upstream.kind: forwarder), and what is left at its
// end (shutdown.handoff).
#include "support/handoff_test.hpp"

#include "sandbox/certificates.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <map>

namespace linkrunner::tests {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

class relay : public handoff_test {};

TEST_F(relay, hands_events_to_the_gateway_which_delivers_them_under_their_ids) {
    start_gateway();
    start_relay();
    EXPECT_EQ(
        daemon->post(event_text("purchase_completed", "u", "order-1", R"("event_data":{"amount":12.50})"))
            .status,
        202);
    const auto made = daemon->post(event_text("level_completed", "u"));
    EXPECT_TRUE(api->wait_for_unique(2, patience));
    EXPECT_TRUE(daemon->wait_ledger("handed_off", 2));
    EXPECT_TRUE(gateway->wait_ledger("delivered", 2));
    const auto arrived = api->events();
    EXPECT_EQ(arrived.at(0).event_id, "order-1");
    EXPECT_THAT(arrived.at(0).body, HasSubstr("12.50"));
    EXPECT_EQ(arrived.at(1).event_id, text_at(made, "/data/event_id"));
    EXPECT_EQ(daemon->metric("linkrunnerd_events_handed_off_total"), 2);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_delivered_total"), 0);
    EXPECT_EQ(daemon->child().output().find(gateway_token), std::string::npos);
    EXPECT_EQ(daemon->observe("/status").body.find(gateway_token), std::string::npos);
}

TEST_F(relay, takes_few_requests_for_many_events_and_keeps_the_order_of_each_user) {
    sandbox::api_settings remembering = keyed();
    remembering.keep_events = 100'000;
    start_sandbox(remembering);
    start_gateway();
    start_relay();
    post_many(20'000, 50);
    EXPECT_TRUE(api->wait_for_unique(20'000, seconds(60)));
    EXPECT_TRUE(daemon->wait_ledger("handed_off", 20'000));
    EXPECT_LE(daemon->metric("linkrunnerd_attempts_total{outcome=\"delivered\"}"), 400);
    EXPECT_EQ(gateway->ledger("accepted"), 20'000U);
    std::map<std::string, int> last; // by user
    for (const auto& event : api->events()) {
        const int number = std::stoi(event.event_id.substr(3));
        const auto before = last.find(event.user);
        EXPECT_TRUE(before == last.end() || before->second < number) << event.user << " " << number;
        last[event.user] = number;
    }
    EXPECT_EQ(last.size(), 50U);
}

TEST_F(relay, passes_payments_and_removals_on) {
    start_gateway();
    start_relay();
    const std::string payment = R"({"user_id":"u","payment_id":"p1","amount":99.5,"type":"FIRST_PAYMENT"})";
    const std::string removal = R"({"payment_id":"p1"})";
    EXPECT_EQ(daemon->post(payment, "/api/v1/capture-payment").status, 201);
    EXPECT_EQ(daemon->post(removal, "/api/v1/remove-payment").status, 200);
    EXPECT_TRUE(daemon->wait_ledger("handed_off", 2));
    EXPECT_TRUE(gateway->wait_ledger("delivered", 2));
    EXPECT_EQ(daemon
                  ->post(R"({"user_id":"u","payment_id":"p1","amount":99.5,"type":"RENEWED"})",
                         "/api/v1/capture-payment")
                  .status,
              201);
    EXPECT_EQ(daemon->post(removal, "/api/v1/remove-payment").status, 200);
    EXPECT_TRUE(gateway->wait_ledger("delivered", 4)) << "the second removal is no repeat of the first";
}

TEST_F(relay, recognises_repeats_of_events_whose_bodies_carry_no_id) {
    start_gateway({{"events.add_event_id", "false"}});
    start_relay({{"events.add_event_id", "false"}});
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    EXPECT_TRUE(api->wait_for_events(1, patience));
    EXPECT_TRUE(daemon->wait_ledger("handed_off", 1));
    EXPECT_EQ(api->events().at(0).event_id, "");
    EXPECT_EQ(gateway->ledger("accepted"), 1U);
}

TEST_F(relay, is_held_by_a_wrong_token_and_goes_on_when_its_file_changes) {
    start_gateway();
    const std::string token = home.write("changing.token", "a-wr0ng-token");
    start_relay({{"upstream.token_file", token}, {"delivery.hold_probe", "1h"}});
    EXPECT_EQ(daemon->post(event_text("e", "u", "1")).status, 202);
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    EXPECT_EQ(daemon->ledger("pending"), 1U);
    home.write("changing.token", gateway_token);
    EXPECT_TRUE(daemon->wait_ledger("handed_off", 1));
}

TEST_F(relay, buries_what_the_gateway_rejects_and_nothing_else) {
    start_gateway({{"events.amount_as_string", "reject"}});
    start_relay({{"events.amount_as_string", "off"}});
    post_many(100);
    EXPECT_EQ(
        daemon->post(event_text("purchase_completed", "u", "bad", R"("event_data":{"amount":"12"})")).status,
        202);
    EXPECT_TRUE(daemon->wait_ledger("dead", 1));
    EXPECT_TRUE(daemon->wait_ledger("handed_off", 100));
    const auto letters = daemon->control("GET", "/v1/dead");
    EXPECT_THAT(letters.body, HasSubstr("\"bad\""));
    EXPECT_THAT(letters.body, HasSubstr("amount_as_string"));
}

TEST_F(relay, drops_what_a_rule_of_the_gateway_filters_and_says_so) {
    const std::string file =
        home.write("gateway.yaml", "events:\n  rules:\n    - {names: [noise_*], drop: true}\n");
    start_gateway({{"--config", file}});
    start_relay();
    EXPECT_EQ(daemon->post(event_text("noise_a", "u", "1")).status, 202);
    EXPECT_EQ(daemon->post(event_text("e", "u", "2")).status, 202);
    EXPECT_TRUE(daemon->wait_ledger("handed_off", 1));
    EXPECT_TRUE(daemon->wait_ledger("dropped", 1));
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dropped_total{reason=\"filtered_by_peer\"}"), 1);
    EXPECT_EQ(gateway->ledger("accepted"), 1U);
}

TEST_F(relay, answers_who_waits_when_the_gateway_has_taken_the_event_over) {
    start_gateway();
    start_relay();
    const auto answer = daemon->post(event_text("e", "u", "1"), "/v1/events?wait=delivered&timeout=30s");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(text_at(answer, "/data/outcome"), "handed_off");
    EXPECT_THAT(daemon->control("GET", "/v1/explain?event_id=1").body, HasSubstr("\"state\":\"handed_off\""));
}

TEST_F(relay, waits_while_the_gateway_is_away) {
    start_gateway();
    const std::string url = gateway_url();
    gateway->kill();
    start_relay();
    post_many(2'000);
    ASSERT_TRUE(daemon->wait_state("outage"));
    start_gateway();
    EXPECT_TRUE(daemon->wait_ledger("handed_off", 2'000, seconds(60)));
    EXPECT_EQ(gateway->ledger("accepted"), 2'000U);
}

TEST_F(relay, loses_nothing_to_itself) {
    start_sandbox();
    start();
    const std::string own = daemon->listeners().at(0);
    EXPECT_EQ(daemon->stop(), 0);
    settings["intake.listen"] = own;
    start({{"upstream.kind", "forwarder"}, {"upstream.url", "http://" + own}});
    EXPECT_EQ(daemon->post(event_text("e", "u", "1")).status, 202);
    EXPECT_TRUE(daemon->wait_state("held_misconfigured"));
    EXPECT_THAT(daemon->observe("/status").body, HasSubstr("leads back to itself"));
    EXPECT_EQ(daemon->ledger("pending"), 1U);
}

TEST_F(relay, is_not_fooled_by_another_server_that_says_200) {
    start_sandbox();
    start({{"upstream.kind", "forwarder"}, {"upstream.url", "http://" + start_gateway().observe_address()}});
    EXPECT_EQ(daemon->post(event_text("e", "u", "1")).status, 202);
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.upstream_state() != "healthy"; }));
    EXPECT_EQ(daemon->ledger("pending"), 1U);
}

class handoff : public handoff_test {
  protected:
    // The API is away: what is posted waits.
    void start_backlog(int count, const setting_map& changes = {}) {
        start_sandbox();
        api->set_listening(false);
        start_gateway();
        start_sidecar(changes);
        post_many(count);
        EXPECT_EQ(daemon->ledger("pending"), static_cast<std::uint64_t>(count));
    }
};

TEST_F(handoff, of_a_large_backlog_takes_seconds_and_loses_nothing) {
    constexpr std::uint64_t count = 100'000;
    start_backlog(count, {{"shutdown.handoff_timeout", "150s"}}); // with sanitizers, on a loaded machine
    const auto began = steady_clock::now();
    EXPECT_EQ(daemon->stop(seconds(160)), 0);
    RecordProperty("seconds",
                   std::to_string(std::chrono::duration<double>(steady_clock::now() - began).count()));
    EXPECT_EQ(gateway->ledger("accepted"), count);
    EXPECT_EQ(gateway->ledger("pending"), count);
    const auto said = daemon->wait_log("all that waited was handed over");
    ASSERT_TRUE(said);
    EXPECT_EQ(said->at("events").as_int64(), static_cast<std::int64_t>(count));
    start();
    EXPECT_EQ(daemon->ledger("handed_off"), count);
    EXPECT_EQ(daemon->ledger("pending"), 0U);
}

TEST_F(handoff, is_not_begun_when_the_drain_time_is_enough) {
    start_gateway();
    start_sidecar({{"shutdown.drain", "20s"}});
    post_many(200);
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_EQ(api->unique(), 200U);
    EXPECT_EQ(gateway->ledger("accepted"), 0U);
}

// What was delivered a moment before must not be handed over as well.
TEST_F(handoff, takes_nothing_that_was_delivered) {
    start_sandbox();
    api->add_faults("delay=20ms");
    start_gateway({{"upstream.url", "http://127.0.0.1:9/api/v1"}}); // it keeps what it gets
    start_sidecar({{"shutdown.drain", "400ms"}, {"delivery.max_in_flight", "4"}});
    post_many(500);
    EXPECT_TRUE(api->wait_for_unique(20, patience));
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_LT(api->unique(), 500U);
    EXPECT_EQ(api->unique() + gateway->ledger("accepted"), 500U);
}

TEST_F(handoff, leaves_what_nobody_takes_in_the_spool_and_says_so_loudly) {
    start_backlog(50, {{"shutdown.handoff_timeout", "500ms"}});
    gateway->kill();
    EXPECT_EQ(daemon->stop(), 0);
    const auto said = daemon->wait_log("hand-off incomplete: events stay in this spool, and are lost with it "
                                       "if its directory does not outlive "
                                       "this process");
    ASSERT_TRUE(said);
    EXPECT_EQ(said->at("left").as_int64(), 50);
    EXPECT_THAT(std::string(said->at("why").as_string()), HasSubstr("Connection refused"));
    start();
    EXPECT_EQ(daemon->ledger("pending"), 50U);
    start_gateway();
}

TEST_F(handoff, waits_for_a_gateway_that_comes_back_within_its_time) {
    start_backlog(5'000, {{"shutdown.handoff_timeout", "60s"}});
    gateway->kill();
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_log("handing over what waits to another linkrunnerd"));
    start_gateway();
    EXPECT_EQ(daemon->child().wait_exit(seconds(60)), 0);
    stopped = true;
    EXPECT_EQ(gateway->ledger("accepted"), 5'000U);
}

TEST_F(handoff, ends_at_once_on_a_second_signal) {
    start_backlog(50, {{"shutdown.handoff_timeout", "60s"}});
    gateway->kill();
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_log("handing over what waits to another linkrunnerd"));
    const auto began = steady_clock::now();
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_LT(steady_clock::now() - began, seconds(5));
    start();
    EXPECT_EQ(daemon->ledger("pending"), 50U);
    start_gateway();
}

TEST_F(handoff, reads_the_token_anew_at_the_end) {
    start_backlog(10, {{"shutdown.handoff_token_file", home.write("late.token", "old-t0ken")}});
    home.write("late.token", gateway_token);
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_EQ(gateway->ledger("accepted"), 10U);
    EXPECT_EQ(daemon->child().output().find(gateway_token), std::string::npos);
}

TEST_F(handoff, goes_over_tls_to_whom_the_authority_vouches_for_only) {
    const auto authority = sandbox::authority::make().value();
    const auto own = authority.issue({}).value();
    start_sandbox();
    api->set_listening(false);
    start_gateway({{"intake.tls.cert_file", home.write("gateway.crt", own.cert_pem)},
                   {"intake.tls.key_file", home.write("gateway.key", own.key_pem)}});
    start_sidecar({{"shutdown.handoff", gateway_url("https")}, {"shutdown.handoff_timeout", "1s"}});
    post_many(10);
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_EQ(gateway->ledger("accepted"), 0U) << "the system's authorities do not vouch for it";
    start_sidecar({{"shutdown.handoff", gateway_url("https")},
                   {"shutdown.handoff_ca_file", home.write("ca.crt", authority.cert_pem())}});
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_EQ(gateway->ledger("accepted"), 10U);
}

// Each is the other's peer, and they are stopped in turn: the events go to and fro, and none is taken for a
// repeat of itself.
TEST_F(handoff, to_and_fro_between_two_loses_nothing) {
    start_backlog(100);
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_EQ(gateway->ledger("pending"), 100U);
    start_sidecar();
    const std::string sidecar = "http://" + daemon->listeners().at(0);
    gateway->kill();
    start_gateway({{"shutdown.handoff", sidecar}});
    EXPECT_EQ(gateway->stop(), 0);
    EXPECT_EQ(daemon->ledger("pending"), 100U);
    EXPECT_EQ(daemon->ledger("accepted"), 200U);
    api->set_listening(true);
    EXPECT_TRUE(api->wait_for_unique(100, patience));
    EXPECT_EQ(api->duplicates(), 0U);
    gateway.reset();
}

TEST_F(handoff, says_that_dead_letters_stay) {
    start_sandbox();
    api->add_faults("name=bad status=400; name=good status=503");
    start_gateway();
    start_sidecar();
    EXPECT_EQ(daemon->post(event_text("bad", "u", "1")).status, 202);
    EXPECT_TRUE(daemon->wait_ledger("dead", 1));
    EXPECT_EQ(daemon->post(event_text("good", "u", "2")).status, 202);
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_TRUE(daemon->wait_log("dead letters are not handed over: they stay in this spool"));
    EXPECT_EQ(gateway->ledger("accepted"), 1U);
}

} // namespace
} // namespace linkrunner::tests
