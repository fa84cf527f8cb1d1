// What monitoring reads: health, readiness, metrics, status.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class observe : public daemon_test {};

TEST_F(observe, answers_health_and_readiness) {
    start();
    EXPECT_EQ(daemon->observe("/healthz").status, 200);
    EXPECT_EQ(daemon->observe("/readyz").status, 200);
    EXPECT_EQ(daemon->observe("/nowhere").status, 404);
    wire_client client(daemon->observe_address());
    EXPECT_EQ(client.exchange(request_text("POST", "/status", "x")).status / 100, 4);
}

TEST_F(observe, shows_every_metric_from_the_start) {
    start();
    const auto answer = daemon->observe("/metrics");
    EXPECT_THAT(answer.header("content-type"), HasSubstr("text/plain"));
    for (const char* name : {"events_accepted_total",
                             "events_delivered_total",
                             "events_handed_off_total",
                             "events_dead_total{reason=\"rejected\"}",
                             "events_dropped_total{reason=\"operator\"}",
                             "events_rejected_at_intake_total{code=\"disk_full\"}",
                             "upstream_last_success_timestamp_seconds",
                             "config_reload_success",
                             "events_pending{lane=\"revenue\"}",
                             "events_pending{lane=\"default\"}",
                             "events_duplicate_total",
                             "attempts_total",
                             "attempts_ambiguous_total",
                             "delivery_age_seconds_bucket",
                             "attempt_duration_seconds_bucket",
                             "commit_duration_seconds_bucket",
                             "intake_duration_seconds_bucket",
                             "rate_limit_current",
                             "upstream_state{state=\"healthy\"}",
                             "ledger_events{state=\"accepted\"}",
                             "spool_lost_total",
                             "loop_lag_seconds_bucket",
                             "spool_bytes",
                             "spool_limit_bytes",
                             "oldest_pending_age_seconds",
                             "drain_forecast_seconds",
                             "build_info"}) {
        EXPECT_THAT(answer.body, HasSubstr(std::string("\nlinkrunnerd_") + name));
    }
}

TEST_F(observe, counts_what_happened) {
    start_sandbox();
    api->add_faults("name=bad status=400");
    start();
    daemon->post("[" + event_text("e", "u", "1") + "," + event_text("e", "u", "1") + "," +
                 event_text("bad", "v") + ",{}]");
    ASSERT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
    EXPECT_EQ(daemon->metric("linkrunnerd_events_accepted_total"), 2);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_duplicate_total"), 1);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_delivered_total"), 1);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_dead_total{reason=\"rejected\"}"), 1);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_rejected_at_intake_total{code=\"missing_field\"}"), 1);
    EXPECT_EQ(daemon->metric("linkrunnerd_delivery_age_seconds_count"), 1);
    EXPECT_GE(daemon->metric("linkrunnerd_commit_duration_seconds_count"), 1);
    EXPECT_GT(daemon->metric("linkrunnerd_upstream_last_success_timestamp_seconds"), 1.7e9);
    EXPECT_EQ(daemon->metric("linkrunnerd_ledger_events{state=\"accepted\"}"), 2);
    EXPECT_EQ(daemon->metric("linkrunnerd_ledger_events{state=\"dead\"}"), 1);
}

TEST_F(observe, shows_a_ledger_that_adds_up_at_all_times) {
    start_sandbox();
    api->add_faults("probability=0.2 seed=3 status=400; probability=0.2 seed=4 status=500");
    start();
    wire_client client = daemon->connect();
    for (int i = 0; i < 200; ++i) {
        client.exchange(request_text("POST", "/v1/events", event_text("e", "u" + std::to_string(i)),
                                     {{"Content-Type", "application/json"}}));
        if (i % 10 == 0) {
            const auto ledger = daemon->status().at("ledger").as_object();
            const auto value = [&](const char* key) { return ledger.at(key).to_number<std::int64_t>(); };
            EXPECT_EQ(value("accepted"), value("delivered") + value("handed_off") + value("dead") +
                                             value("dropped") + value("lost") + value("pending"));
        }
    }
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
    EXPECT_EQ(daemon->ledger("accepted"), 200U);
}

TEST_F(observe, forecasts_how_long_the_backlog_will_take) {
    start_sandbox();
    start({{"delivery.rate", "2/s"}, {"delivery.burst", "1"}});
    std::string lines;
    for (int i = 0; i < 100; ++i) {
        lines += event_text("e", "u" + std::to_string(i)) + "\n";
    }
    EXPECT_EQ(daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}}).status, 202);
    const double forecast = daemon->metric("linkrunnerd_drain_forecast_seconds");
    EXPECT_GT(forecast, 35);
    EXPECT_LT(forecast, 65);
}

} // namespace
} // namespace linkrunner::tests
