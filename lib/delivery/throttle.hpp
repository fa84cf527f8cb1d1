// The pause that the API asks of everybody: a 429, a 503 with Retry-After, a limit of which nothing remains.
// Nothing goes out until its end, then one probe. Any answer but another such one ends it.
//
// Where the API names no time, exponential backoff with full jitter; the exponent grows with each probe that
// is throttled again. Answers to attempts that were under way when the pause began are no news: they may
// lengthen it by a time of their own, but not raise the exponent, and not end it.
#pragma once

#include "delivery/backoff.hpp"
#include "delivery/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace linkrunner::delivery {

enum class gate : std::uint8_t { open, probe, closed };

class throttle {
  public:
    throttle(backoff without_time, nanoseconds longest) : backoff_(without_time), longest_(longest) {}

    // The API asked for a pause in its answer to an attempt that began at `began`.
    void asked(steady_time began, bool was_probe, std::optional<nanoseconds> wait, steady_time now,
               double random, std::string reason);

    // A pause that has begun stays as long as it was.
    void change(backoff without_time, nanoseconds longest) {
        backoff_ = without_time;
        longest_ = longest;
    }

    void probe_begun() { probing_ = true; }
    void probe_answered() { *this = throttle(backoff_, longest_); } // by anything else than another pause
    void probe_not_sent() { probing_ = false; }

    gate at(steady_time now) const;
    bool probing() const { return probing_; }
    bool active() const { return active_; }
    steady_time until() const { return until_; } // of an active one: before it, nothing
    const std::string& reason() const { return reason_; }

  private:
    backoff backoff_;
    nanoseconds longest_;
    bool active_ = false;
    bool probing_ = false;
    std::uint32_t without_time_ = 0; // pauses in a row for which no time was named
    steady_time asked_{};
    steady_time until_{};
    std::string reason_;
};

} // namespace linkrunner::delivery
