#include "telemetry/metrics.hpp"

#include "telemetry/labelled.hpp"

#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

namespace linkrunner::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using buckets = Histogram::BucketBoundaries;

double seconds_in(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

// From a delivery within the pace of the API to a backlog of three days.
const buckets delivery_age = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5,  1,    2.5,   5,     10,    30,
                              60,   120,   300,  600, 1800, 3600, 7200, 21600, 86400, 259200};
const buckets attempt_time = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60};
const buckets commit_time = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                             0.05,    0.1,    0.25,    0.5,    1,     2.5,    5,     10};
const buckets intake_time = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                             0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    60};
const buckets lag_time = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1};

} // namespace

struct metrics::families {
    prometheus::Registry registry;

    prometheus::Family<Counter>& counters(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    prometheus::Family<Gauge>& gauges(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    }
    Counter& counter(const char* name, const char* help) { return counters(name, help).Add({}); }
    Gauge& gauge(const char* name, const char* help) { return gauges(name, help).Add({}); }
    Histogram& histogram(const char* name, const char* help, const buckets& bounds) {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, bounds);
    }

    Counter& accepted = counter("linkrunnerd_events_accepted_total",
                                "Events stored durably and answered with success, duplicates not counted.");
    Counter& duplicates =
        counter("linkrunnerd_events_duplicate_total",
                "Events answered as accepted that were stored already under the same identity.");
    labelled<Counter> rejected{
        counters("linkrunnerd_events_rejected_at_intake_total",
                 "Events refused at intake and not stored, by the code of the answer."),
        "code",
        {"queue_full", "disk_full", "disk_stalled", "disk_error", "draining"}};
    Counter& filtered = counter("linkrunnerd_events_filtered_total",
                                "Events not accepted because a rule of events.rules drops them.");
    labelled<Counter> warned{
        counters("linkrunnerd_events_quality_warned_total",
                 "Findings of data quality in events that were taken as they were, by rule."),
        "rule"};
    labelled<Counter> fixed{counters("linkrunnerd_events_quality_fixed_total",
                                     "Findings of data quality that were mended in the event, by rule."),
                            "rule"};
    Counter& delivered = counter("linkrunnerd_events_delivered_total", "Events that the API took (2xx).");
    labelled<Counter> dead{
        counters("linkrunnerd_events_dead_total", "Events moved to the dead-letter store, by reason."),
        "reason",
        {"rejected", "attempts", "age", "ambiguous"}};
    labelled<Counter> dropped{
        counters("linkrunnerd_events_dropped_total",
                 "Events given up by an operator or by a policy that the operator chose, by reason."),
        "reason",
        {"operator", "queue_full", "dead_max_bytes", "dead_max_age", "filtered_by_peer"}};
    Counter& handed_off = counter("linkrunnerd_events_handed_off_total",
                                  "Events that another linkrunnerd has taken over from this one.");
    Counter& lost = counter("linkrunnerd_spool_lost_total",
                            "Accepted events provably lost to damage on disk over the life of the spool.");

    labelled<Counter> attempts{
        counters("linkrunnerd_attempts_total", "Requests sent to the API, by outcome."),
        "outcome",
        {"delivered", "rejected", "unauthorized", "suspended", "misconfigured", "throttled", "transient"}};
    Counter& ambiguous = counter(
        "linkrunnerd_attempts_ambiguous_total",
        "Requests sent whole whose answer never came, or came as 500, 502 or 504: the API may have counted "
        "the event.");
    Histogram& age = histogram("linkrunnerd_delivery_age_seconds",
                               "Time from accepting an event to its delivery or hand-off.", delivery_age);
    Histogram& attempt_duration =
        histogram("linkrunnerd_attempt_duration_seconds",
                  "Time of one request to the API, from handing it to the client to the end of its answer.",
                  attempt_time);
    Histogram& commit_duration =
        histogram("linkrunnerd_commit_duration_seconds",
                  "Time to write and sync one group of events to stable storage.", commit_time);
    Histogram& intake_duration = histogram(
        "linkrunnerd_intake_duration_seconds",
        "Time from having read a request for intake to handing its answer to the socket.", intake_time);
    Histogram& loop_lag =
        histogram("linkrunnerd_loop_lag_seconds",
                  "How much later than asked for the network thread ran a timer.", lag_time);

    labelled<Gauge> pending{gauges("linkrunnerd_events_pending", "Events waiting for delivery, by lane."),
                            "lane"};
    labelled<Gauge> ledger{
        gauges(
            "linkrunnerd_ledger_events",
            "Events over the life of the spool, by what became of them; accepted is the sum of the others."),
        "state",
        {"accepted", "delivered", "handed_off", "dead", "dropped", "lost", "pending"}};
    Gauge& rate =
        gauge("linkrunnerd_rate_limit_current", "Requests per second that delivery keeps to at present.");
    labelled<Gauge> upstream_state{
        gauges("linkrunnerd_upstream_state", "1 for the state that delivery is in, 0 for the others."),
        "state",
        {"healthy", "throttled", "outage", "held_unauthorized", "held_suspended", "held_misconfigured",
         "held_rejecting", "paused", "draining"}};
    Gauge& last_success = gauge("linkrunnerd_upstream_last_success_timestamp_seconds",
                                "Unix time of the last delivery since the start, 0 before the first.");
    Gauge& spool_bytes = gauge("linkrunnerd_spool_bytes", "Bytes that the spool takes on disk.");
    Gauge& spool_limit = gauge("linkrunnerd_spool_limit_bytes", "Bytes that the spool may take on disk.");
    Gauge& oldest_pending = gauge("linkrunnerd_oldest_pending_age_seconds",
                                  "Age of the oldest event that waits for delivery, 0 when none waits.");
    Gauge& forecast =
        gauge("linkrunnerd_drain_forecast_seconds",
              "How long an event accepted now is expected to wait for delivery, NaN when it cannot be said.");

    Gauge& reload_success = gauge(
        "linkrunnerd_config_reload_success",
        "1 when the configuration in force is that of the last attempt to load it, 0 when that was refused.");

    void add_age(std::chrono::nanoseconds one) {
        age.Observe(seconds_in(one));
        const std::lock_guard lock(ages_mutex);
        ages.add(one);
    }
    std::mutex ages_mutex;
    age_sketch ages;

    std::mutex state_mutex; // a scrape sees one upstream state, never two or none
    std::mutex lost_mutex;
    std::uint64_t lost_before = 0;

    families() {
        gauges("linkrunnerd_build_info", "1; the version is in the label.")
            .Add({{"version", LINKRUNNER_VERSION}})
            .Set(1);
        forecast.Set(std::numeric_limits<double>::quiet_NaN());
        reload_success.Set(1);
    }
};

metrics::metrics() : families_(std::make_unique<families>()) {}
metrics::~metrics() = default;

void metrics::accepted(std::uint64_t events) {
    families_->accepted.Increment(static_cast<double>(events));
}

void metrics::duplicate(std::uint64_t events) {
    families_->duplicates.Increment(static_cast<double>(events));
}

void metrics::rejected_at_intake(std::string_view code, std::uint64_t events) {
    families_->rejected[code].Increment(static_cast<double>(events));
}

void metrics::filtered(std::uint64_t events) {
    families_->filtered.Increment(static_cast<double>(events));
}

void metrics::quality(std::string_view rule, bool fixed) {
    (fixed ? families_->fixed : families_->warned)[rule].Increment();
}

void metrics::delivered(std::chrono::nanoseconds age) {
    families_->delivered.Increment();
    families_->add_age(age);
}

void metrics::handed_off(std::chrono::nanoseconds age) {
    families_->handed_off.Increment();
    families_->add_age(age);
}

void metrics::dead(std::string_view reason) {
    families_->dead[reason].Increment();
}

void metrics::dropped(std::string_view reason, std::uint64_t events) {
    families_->dropped[reason].Increment(static_cast<double>(events));
}

void metrics::attempt(std::string_view outcome, std::chrono::nanoseconds duration, bool ambiguous) {
    families_->attempts[outcome].Increment();
    families_->attempt_duration.Observe(seconds_in(duration));
    if (ambiguous) {
        families_->ambiguous.Increment();
    }
}

void metrics::commit(double seconds) {
    families_->commit_duration.Observe(seconds);
}

void metrics::intake_duration(std::chrono::nanoseconds duration) {
    families_->intake_duration.Observe(seconds_in(duration));
}

void metrics::loop_lag(std::chrono::nanoseconds lag) {
    families_->loop_lag.Observe(seconds_in(lag));
}

void metrics::set_pending(std::string_view lane, std::uint64_t events) {
    families_->pending[lane].Set(static_cast<double>(events));
}

void metrics::set_ledger(std::string_view state, std::uint64_t events) {
    families_->ledger[state].Set(static_cast<double>(events));
}

void metrics::set_lost(std::uint64_t events_ever) {
    const std::lock_guard lock(families_->lost_mutex);
    if (events_ever > families_->lost_before) {
        families_->lost.Increment(static_cast<double>(events_ever - families_->lost_before));
        families_->lost_before = events_ever;
    }
}

void metrics::set_rate(double per_second) {
    families_->rate.Set(per_second);
}

void metrics::set_upstream_state(std::string_view state) {
    const std::lock_guard lock(families_->state_mutex);
    families_->upstream_state[state];
    families_->upstream_state.for_each(
        [state](std::string_view name, Gauge& gauge) { gauge.Set(name == state ? 1 : 0); });
}

void metrics::set_last_success(double unix_seconds) {
    families_->last_success.Set(unix_seconds);
}

void metrics::set_spool_bytes(std::uint64_t used, std::uint64_t limit) {
    families_->spool_bytes.Set(static_cast<double>(used));
    families_->spool_limit.Set(static_cast<double>(limit));
}

void metrics::set_oldest_pending_age(double seconds) {
    families_->oldest_pending.Set(seconds);
}

void metrics::set_drain_forecast(double seconds) {
    families_->forecast.Set(seconds);
}

void metrics::set_config_reload_success(bool last_one_succeeded) {
    families_->reload_success.Set(last_one_succeeded ? 1 : 0);
}

metrics::totals metrics::sums() const {
    const auto count = [](const Counter& counter) { return static_cast<std::uint64_t>(counter.Value()); };
    const auto sum = [&count](const labelled<Counter>& counters) {
        std::uint64_t total = 0;
        counters.for_each([&](std::string_view, const Counter& each) { total += count(each); });
        return total;
    };
    return {count(families_->accepted),
            count(families_->duplicates),
            sum(families_->rejected),
            count(families_->delivered) + count(families_->handed_off),
            sum(families_->dead),
            sum(families_->attempts),
            count(families_->attempts["throttled"]),
            count(families_->ambiguous),
            families_->last_success.Value()};
}

std::vector<std::pair<std::string, std::uint64_t>> metrics::attempts_by_outcome() const {
    std::vector<std::pair<std::string, std::uint64_t>> out;
    families_->attempts.for_each([&](std::string_view outcome, const Counter& each) {
        out.emplace_back(outcome, static_cast<std::uint64_t>(each.Value()));
    });
    return out;
}

age_sketch metrics::take_ages() {
    const std::lock_guard lock(families_->ages_mutex);
    return std::exchange(families_->ages, age_sketch());
}

std::string metrics::exposition() const {
    const std::lock_guard lock(families_->state_mutex);
    return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

} // namespace linkrunner::telemetry
