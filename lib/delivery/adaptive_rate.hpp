// The rate in force, below the configured ceiling, or found without one (`rate: auto`). Many senders may
// share one limit of which none of them knows; they speak of it only by their 429s.
//
// The rule: a sender of r requests a second is content when a certain share of them is answered 429,
// share(r) = share * (share_at / r)^exponent; each success raises r by as much as a 429, at that share,
// lowers it. Senders of one limit see the same share, so they come to the same r: to those that send more,
// the same share is too much. That the share may be higher where r is small keeps it low where senders are
// few, and bearable where they are a thousand: AIMD (Chiu and Jain, 1989) is the case of exponent 1. Small
// decreases make for fairness: r varies by a part of about sqrt(decrease / (2 * exponent)). docs/pacing.md
// shows it.
//
// - Nothing but success for longer than the share lets expect: r grows faster, until the next 429.
// - Three 429s with far too few successes between: r is halved.
// - A 429 counts once for all attempts that were begun before r was last lowered or in the second after it
//   (limits are kept by the second: the rest of one that is used up says nothing new), and not at all for a
//   probe after a pause of several requests' time: it says that the API wants a pause, not that r is too
//   high.
// - Successes raise r only where r was what bounded the sending.
// - Without a ceiling, r starts low and doubles within a second until the first 429. That halves it, once
// more
//   than was needed perhaps: so it grows faster from there, as after a silence.
// - Below the ceiling the distance of requests is dithered by a tenth, or senders of one speed could meet in
//   step, one of them always too late.
//
// What the API says in its rate limit headers caps the rate for as long as that is said. One answer binds for
// no longer than the longest pause, and no cap is below one request in that time.
#pragma once

#include "delivery/retry_after.hpp"
#include "delivery/time.hpp"

#include <array>
#include <optional>

namespace linkrunner::delivery {

class adaptive_rate {
  public:
    struct rules {
        double share = 0.0215;
        double share_at = 0.3;
        double exponent = 0.75;
        double highest_share = 0.5;
        double decrease = 0.045;     // of the logarithm of r, by a 429
        double quiet = 3.5;          // usual distances of 429s without one: from here on faster
        double searched = 6;         // likewise, taken for past at the end of the search
        double crowded = 0.2;        // three distances of 429s together, in usual ones: halved
        double fastest_growth = 0.1; // of requests per second, by a success
        double pause = 2;            // distances of requests
        nanoseconds grace = std::chrono::seconds(1);
        double dither = 0.1;
        double first = 1;          // per second, without a ceiling
        double lowest = 1.0 / 300; // per second
        double highest = 100'000;
        nanoseconds longest_pause = std::chrono::minutes(10); // that the API can bring about
    };

    // Not `adaptive`: 429s and headers do not change the rate (pauses are another matter, see throttle).
    adaptive_rate(std::optional<double> ceiling, bool adaptive, rules by);

    // Another ceiling, or none. A rate that was not lowered goes with it; one that was stays as it was found,
    // as far as the ceiling lets it.
    void change(std::optional<double> ceiling, bool adaptive);

    // An attempt that was answered.
    struct attempt {
        steady_time began{};
        nanoseconds gap{};   // since the one before was begun
        bool probe = false;  // after a pause
        bool waited = false; // for its token: others were ready before
    };
    void throttled(const attempt& what, steady_time now);
    void succeeded(const attempt& what);
    void heed(const rate_hint& hint, steady_time now);

    double rate(steady_time now) const;
    steady_time cap_until() const { return cap_until_; } // a cap ends then; in the past: there is none
    std::optional<double> ceiling() const { return ceiling_; }
    // Another ceiling, or none: goes on at it, or from the rate in force.
    void set_ceiling(std::optional<double> ceiling) {
        ceiling_ = ceiling;
        current_ = ceiling.value_or(current_);
    }

    // For the next request: rate(), dithered. To be drawn anew for each one.
    double pace(steady_time now) const;
    void draw(double random) { dither_ = 1 + by_.dither * (2 * random - 1); }

  private:
    double share() const;
    double highest() const { return ceiling_.value_or(by_.highest); }

    rules by_;
    std::optional<double> ceiling_;
    double current_;
    bool adaptive_;
    bool searching_; // nothing was ever answered 429
    double dither_ = 1;
    double expected_ = 0; // 429s since the last one that counted, at the share of each success
    std::array<double, 3> distances_;
    std::size_t next_distance_ = 0;
    steady_time lowered_ = steady_time::min();
    double cap_ = 0;
    steady_time cap_until_ = steady_time::min();
};

} // namespace linkrunner::delivery
