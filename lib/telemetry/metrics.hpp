// The daemon's metrics (contract section 7), kept by prometheus-cpp. One object, made in daemon/, passed by
// reference. Thread-safe. Counters start at 0 with the process.
#pragma once

#include "telemetry/age_sketch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linkrunner::telemetry {

class metrics {
  public:
    metrics();
    ~metrics();

    // Events.
    void accepted(std::uint64_t events);
    void duplicate(std::uint64_t events);
    void rejected_at_intake(std::string_view code, std::uint64_t events = 1);
    void filtered(std::uint64_t events); // at intake, by a rule of the operator
    void quality(std::string_view rule,
                 bool fixed);                      // something a rule of data quality found in a taken event
    void delivered(std::chrono::nanoseconds age);  // accept to delivered
    void handed_off(std::chrono::nanoseconds age); // accept to taken over by another linkrunnerd
    void dead(std::string_view reason);
    void dropped(std::string_view reason, std::uint64_t events = 1);

    // Attempts and durations.
    void attempt(std::string_view outcome, std::chrono::nanoseconds duration, bool ambiguous);
    void commit(double seconds);
    void intake_duration(std::chrono::nanoseconds duration);
    void loop_lag(std::chrono::nanoseconds lag);

    // Gauges.
    void set_pending(std::string_view lane, std::uint64_t events);
    void set_ledger(std::string_view state, std::uint64_t events);
    void set_lost(std::uint64_t events_ever);
    void set_rate(double per_second);
    void set_upstream_state(std::string_view state); // 1 for this one, 0 for the others
    void set_last_success(double unix_seconds);
    void set_spool_bytes(std::uint64_t used, std::uint64_t limit);
    void set_oldest_pending_age(double seconds);
    void set_drain_forecast(double seconds); // NaN when it cannot be said

    void set_config_reload_success(bool last_one_succeeded);

    // Sums since the start, for the log's summary line, /status and its history.
    struct totals {
        std::uint64_t accepted = 0, duplicates = 0, rejected = 0, delivered = 0, dead = 0, attempts = 0,
                      throttled = 0, ambiguous = 0;
        double last_success = 0; // as given to set_last_success()
    };
    totals sums() const;

    // Attempts by outcome, in the order of the words.
    std::vector<std::pair<std::string, std::uint64_t>> attempts_by_outcome() const;

    // The ages at delivery since the last call.
    age_sketch take_ages();

    // The text exposition format (version 0.0.4).
    std::string exposition() const;

  private:
    struct families;
    std::unique_ptr<families> families_;
};

} // namespace linkrunner::telemetry
