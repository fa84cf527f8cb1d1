// What linkrunnerd shows of itself while it runs: the gauges of /metrics, a sample every second for the live
// page, a line in the log every minute. Lives on the loop's thread; what it reads must outlive it.
#pragma once

#include "config/settings.hpp"
#include "control/history.hpp"
#include "env/clock.hpp"
#include "forward/forwarder.hpp"
#include "spool/queue.hpp"
#include "telemetry/metrics.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace linkrunner::daemon {

class instruments {
  public:
    // The lanes stay as they are here.
    instruments(const std::vector<config::lane_section>& lanes, const spool::queue& queue,
                const forward::forwarder& forwarder, const clock& time, telemetry::metrics& metrics);

    void publish_gauges();
    void take_sample();   // every second
    void write_summary(); // every minute, if anything happened

    const control::history& last_hour() const { return history_; }

  private:
    double oldest_pending_age() const;

    std::vector<std::string> lanes_;
    const spool::queue& queue_;
    const forward::forwarder& forwarder_;
    const clock& clock_;
    telemetry::metrics& metrics_;
    control::history history_;
    telemetry::metrics::totals told_;
    std::array<std::uint64_t, spool::drop_reasons> counted_drops_{};
};

} // namespace linkrunner::daemon
