// Outage or poison? When attempts fail and nothing succeeds, it is an outage: one probe at a time goes out
// with growing gaps, and no failure counts, nor those that led to it. When others succeed, it is the event.
//
// So a failure is provisional until a success that was begun after it confirms it as the event's own (once an
// event for each success: what was longer ago may have been an outage that nobody saw), or an outage voids
// it. Failures of attempts that were begun before an outage was over say nothing, whenever they arrive, and
// neither does a success that was begun before it. What failed before the first success of this run of the
// daemon may be an outage as well.
//
// An event whose failure was confirmed is suspected from then on: its failures never make an outage, unless
// unsuspected events fail as well; or unless they are many and nothing has succeeded for a while, when there
// is no point in trying them all. While nothing succeeds, no failure of theirs counts either.
//
// While only a few users' events have failed, an event of any other user may be tried at once: neither a lone
// poisonous event nor a handful may look like an outage to those that come after. If it succeeds, those that
// failed are suspected. So is an event that has failed before, between and after others' successes.
//
// After the first success delivery ramps up: one attempt in flight more for each success (slow start), half
// of them for a failure.
#pragma once

#include "delivery/backoff.hpp"
#include "delivery/throttle.hpp"
#include "delivery/time.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace linkrunner::delivery {

class breaker {
  public:
    struct rules {
        std::size_t failures = 10;        // in a row make an outage
        std::size_t failures_in_time = 3; // as many do when they took this long
        nanoseconds time = std::chrono::seconds(10);
        std::size_t failures_of_suspects = 50; // as many do, and a success was never begun meanwhile
        nanoseconds time_of_suspects = std::chrono::seconds(30);
        std::size_t few_users = 8; // fewer than this may be poison
        std::size_t doubtful = 3;  // events failed, from which on others than the oldest are tried
        std::chrono::milliseconds first_gap{1'000};
        std::chrono::milliseconds longest_gap{30'000};
    };

    breaker(rules by, std::size_t max_in_flight);

    void set_max_in_flight(std::size_t most) {
        limit_ = limit_ == max_in_flight_ ? most : std::min(limit_, most);
        max_in_flight_ = most;
    }

    struct failed_attempt {
        sequence number = 0;
        std::uint64_t user_key = 0;
        bool suspected = false; // the event
        bool probe = false;
        bool path_held = false; // hence nothing else was sent that could tell: no failure of the event's
        steady_time began{};
    };
    void failed(const failed_attempt& what, steady_time now, double random);

    // What a success shows about the events that failed before it was begun.
    struct judgement {
        std::vector<sequence> counted;   // a failure was the event's own; it is suspected
        std::vector<sequence> suspected; // it may have been
    };
    judgement succeeded(std::uint64_t user_key, steady_time began, steady_time now);

    void probe_begun() { probing_ = true; }
    // The probe ended in a way that says nothing about an outage: the next one need not wait.
    void probe_inconclusive() { probing_ = false; }

    gate at(steady_time now) const;
    bool probing() const { return probing_; }
    bool open() const { return open_; }
    steady_time next_probe() const { return next_probe_; }

    // While open and between probes: whether an event of this user may be tried all the same.
    bool may_try_others() const { return open_ && !probing_ && few(); }
    bool has_failed(std::uint64_t user_key) const { return users_.contains(user_key); }

    // Not open, but events fail in a row: better to try another than the oldest.
    bool doubtful() const { return !open_ && unsuspected_ >= by_.doubtful; }

    std::uint64_t successes() const { return successes_; }
    std::size_t in_flight_limit() const { return limit_; }
    std::size_t failures_in_a_row() const { return in_a_row_; }

  private:
    bool few() const { return users_.size() < by_.few_users; }
    void open(steady_time now, double random);
    bool is_outage(steady_time now) const;
    void judge(steady_time began, judgement& into);

    rules by_;
    backoff gaps_;
    std::size_t max_in_flight_;
    std::size_t limit_;
    // Provisional failures: when an event's first was. While open, of the first few users.
    std::map<sequence, steady_time> failed_;
    bool open_ = false;
    steady_time opened_{};                       // when last
    steady_time recovered_ = steady_time::min(); // when the last outage was over
    bool probing_ = false;
    std::uint32_t probes_failed_ = 0;
    steady_time next_probe_{};
    std::uint64_t successes_ = 0;
    // Since the last success:
    std::size_t in_a_row_ = 0;
    steady_time first_in_a_row_{};
    std::size_t unsuspected_ = 0;     // failures that can make an outage
    steady_time first_unsuspected_{}; // when the first of them was
    std::set<std::uint64_t> users_;   // whose unsuspected events failed; at most few_users
};

} // namespace linkrunner::delivery
