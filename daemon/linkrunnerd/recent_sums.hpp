// Sums of the metrics, a sample a second over the last minute: what happened lately. Loop's thread.
#pragma once

#include "telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace linkrunner::daemon {

class recent_sums {
  public:
    using totals = telemetry::metrics::totals;

    // To be called once a second.
    void sample(const totals& now) {
        samples_[taken_ % samples_.size()] = now;
        ++taken_;
    }

    const totals& now() const { return samples_[(taken_ + samples_.size() - 1) % samples_.size()]; }

    // What was added within so many seconds, 60 at most; less while the process is younger.
    totals within(std::size_t seconds) const {
        if (taken_ == 0) {
            return {};
        }
        const std::size_t back = std::min({seconds, samples_.size() - 1, taken_ - 1});
        const totals& then = samples_[(taken_ - 1 - back) % samples_.size()];
        const totals& last = now();
        return {last.accepted - then.accepted, last.duplicates - then.duplicates,
                last.rejected - then.rejected, last.delivered - then.delivered,
                last.dead - then.dead,         last.attempts - then.attempts};
    }

  private:
    std::array<totals, 61> samples_{};
    std::size_t taken_ = 0;
};

} // namespace linkrunner::daemon
