// Exponential backoff: the ceiling doubles with each failure, the wait is drawn below it. Full jitter
// ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015) spreads retries best; half jitter keeps a
// minimum, for probes whose number must stay small.
#pragma once

#include "delivery/time.hpp"

#include <chrono>
#include <cstdint>

namespace linkrunner::delivery {

class backoff {
  public:
    backoff(std::chrono::milliseconds initial, std::chrono::milliseconds max);

    // initial * 2^(failures - 1), at most max; for the first failure `failures` is 1.
    nanoseconds ceiling(std::uint32_t failures) const;

    // Uniform in [0, ceiling), and not less than `floor`. `random` is in [0, 1).
    nanoseconds full_jitter(std::uint32_t failures, double random, nanoseconds floor = {}) const;

    // Uniform in [ceiling / 2, ceiling).
    nanoseconds half_jitter(std::uint32_t failures, double random) const;

  private:
    nanoseconds initial_;
    nanoseconds max_;
};

} // namespace linkrunner::delivery
