// Outage or poison? When attempts fail and nothing succeeds, it is an outage: one probe at a time with
// growing gaps, and no failure counts, nor those that led to it. When others succeed, it is the event: a
// failure counts as soon as another event has been delivered after it.
//
// So failures are provisional: they are listed until a success confirms them or an outage voids them. One
// exception keeps a lone poisonous event with little traffic beside it from being an outage for ever: where
// everything that failed is one user's, failures of an event that had failed before a success as well are
// confirmed by that, and stay.
//
// After the first success delivery ramps up: as many attempts in flight as there were successes, plus one
// (slow start), halved by each failure.
#pragma once

#include "delivery/backoff.hpp"
#include "delivery/throttle.hpp"
#include "delivery/time.hpp"

#include <cstdint>
#include <vector>

namespace linkrunner::delivery {

class breaker {
  public:
    struct rules {
        std::size_t failures = 10;        // in a row make an outage
        std::size_t failures_in_time = 3; // as many do when they took
        nanoseconds time = std::chrono::seconds(10);
        std::chrono::milliseconds first_gap{1'000};
        std::chrono::milliseconds longest_gap{30'000};
    };

    breaker(rules by, std::size_t max_in_flight);

    struct failed_attempt {
        sequence number = 0;
        std::uint64_t user_key = 0;
        bool again = false; // the event had failed before the last success, too
        bool probe = false;
    };
    // An attempt failed. Returns the events whose failures count in spite of an outage (see above).
    std::vector<sequence> failed(const failed_attempt& what, steady_time now, double random);

    // An attempt succeeded. Returns the events whose failures this confirms, once for each failure.
    std::vector<sequence> succeeded();

    void probe_begun() { probing_ = true; }
    // The probe ended in a way that says nothing about an outage: the next one need not wait.
    void probe_inconclusive() { probing_ = false; }

    gate at(steady_time now) const;
    bool probing() const { return probing_; }
    bool open() const { return open_; }
    steady_time next_probe() const { return next_probe_; }
    std::size_t in_flight_limit() const { return limit_; }
    std::uint64_t successes() const { return successes_; } // epochs for failed_attempt::again
    std::size_t failures_in_a_row() const { return in_a_row_; }

  private:
    std::vector<sequence> recognise();
    void schedule(steady_time now, double random);

    rules by_;
    backoff gaps_;
    std::size_t max_in_flight_;
    std::size_t limit_;
    bool open_ = false;
    bool probing_ = false;
    std::uint32_t probes_failed_ = 0;
    steady_time next_probe_{};
    std::uint64_t successes_ = 0;
    std::size_t in_a_row_ = 0;
    steady_time first_failure_{};
    std::vector<failed_attempt> provisional_; // since the last success, while not open
};

} // namespace linkrunner::delivery
