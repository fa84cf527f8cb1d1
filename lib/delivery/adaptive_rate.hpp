// The rate in force, below the configured ceiling: a 429 lowers it by a factor, time of success raises it by
// steps (AIMD: Chiu and Jain, "Analysis of the Increase and Decrease Algorithms", 1989, the one linear rule
// under which senders that share a limit come to equal shares). What the API says in its rate limit headers
// caps it for as long as that is said.
//
// A 429 counts once for all attempts that were under way when the rate was last lowered: they were sent at
// the old rate. Recovery is credited by the time spent sending, not by the number of successes, so that its
// speed is the same at any rate; a pause earns nothing.
#pragma once

#include "delivery/retry_after.hpp"
#include "delivery/time.hpp"

namespace linkrunner::delivery {

class adaptive_rate {
  public:
    struct rules {
        double decrease = 0.7;             // factor of a 429
        double recovery_per_second = 0.01; // of the ceiling
        double floor = 0.01;               // of the ceiling: never lower
    };

    // Not `adaptive`: 429s and headers do not change the rate (pauses are another matter, see throttle).
    adaptive_rate(double ceiling, bool adaptive, rules by)
        : by_(by), ceiling_(ceiling), current_(ceiling), adaptive_(adaptive) {}

    void throttled(steady_time began, steady_time now);
    void succeeded(steady_time now);
    void heed(const rate_hint& hint, steady_time now);

    double rate(steady_time now) const;
    double ceiling() const { return ceiling_; }

  private:
    rules by_;
    double ceiling_;
    double current_;
    bool adaptive_;
    steady_time lowered_ = steady_time::min();
    steady_time credited_ = steady_time::min();
    double cap_ = 0;
    steady_time cap_until_ = steady_time::min();
};

} // namespace linkrunner::delivery
