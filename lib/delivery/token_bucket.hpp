// The pace of attempts: one token each. Exact over every window: in any span of length T at most
// burst + rate * T tokens are given. All arithmetic is in whole numbers, so nothing drifts: the level is kept
// in units of 1e-15 token, of which a rate of one millionth of a token per second gives one in a nanosecond.
//
// It begins empty, so that the bound holds over restarts too: a daemon that is restarted over and over earns
// nothing by it. A steady clock that stands still or goes back gives nothing.
#pragma once

#include "delivery/time.hpp"

#include <cstdint>

namespace linkrunner::delivery {

class token_bucket {
  public:
    // Rates are rounded down to millionths per second, and are at least that; a burst is at least one token.
    token_bucket(double rate_per_second, double burst, steady_time now);

    // What was gained so far was gained at the old rate.
    void set_rate(double rate_per_second, steady_time now);
    // What is there beyond a smaller burst is lost.
    void set_burst(double burst, steady_time now);

    // Takes one token if a whole one is there.
    bool take(steady_time now);

    // When a whole token will be there; not after `now` if it is there already.
    steady_time ready_at(steady_time now) const;

  private:
    __extension__ using units = unsigned __int128;

    static units capacity_of(double burst);
    units level_at(steady_time now) const;
    void settle(steady_time now);

    std::uint64_t micro_rate_; // millionths of a token per second: units per nanosecond
    units capacity_;
    units level_;
    steady_time settled_;
};

} // namespace linkrunner::delivery
