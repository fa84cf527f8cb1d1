// The scheduler: keeps the events in memory, asks each rule of this folder, and obeys them in a fixed order:
// pause, throttle, breaker, token, hold, lane, user. Private to lib/delivery.
#pragma once

#include "delivery/adaptive_rate.hpp"
#include "delivery/backoff.hpp"
#include "delivery/breaker.hpp"
#include "delivery/expiry.hpp"
#include "delivery/forecast.hpp"
#include "delivery/hold.hpp"
#include "delivery/lane_picker.hpp"
#include "delivery/lane_reader.hpp"
#include "delivery/payment_order.hpp"
#include "delivery/ready_events.hpp"
#include "delivery/scheduler.hpp"
#include "delivery/throttle.hpp"
#include "delivery/token_bucket.hpp"
#include "delivery/user_order.hpp"

#include <array>
#include <deque>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace linkrunner::delivery {

class scheduler_core final : public scheduler {
  public:
    scheduler_core(const settings& options, random_numbers random, steady_time now);

    std::optional<request_for_more> wanted(std::uint8_t lane) override;
    void read_done(std::uint8_t lane, sequence next, bool at_end) override;
    void stored(std::uint8_t lane) override;
    void replayed(std::uint8_t lane, sequence number) override;
    admission offer(const candidate& event) override;
    void forget(sequence number) override;
    std::optional<send_event> next(steady_time now, wall_time wall) override;
    std::optional<send_event> next_along(sequence before, std::size_t so_far, steady_time now,
                                         wall_time wall) override;
    void refused_together(const std::vector<sequence>& numbers) override;
    std::optional<dismissal> dismissed() override;
    steady_time wake_at(steady_time now) const override;
    verdict ended(sequence number, const attempt_end& how, steady_time now, wall_time wall) override;
    void not_sent(sequence number, steady_time now) override;
    void change(const settings& options, steady_time now) override;
    void key_changed(steady_time now) override;
    void probe_holds(steady_time now) override;
    void pause(bool paused) override { paused_ = paused; }
    void set_ceiling(std::optional<double> rate_per_second, steady_time now) override {
        rate_.set_ceiling(rate_per_second);
        bucket_.set_rate(rate_.pace(now), now);
    }
    void drain(bool draining) override { draining_ = draining; }
    view look(steady_time now) const override;
    std::optional<std::chrono::milliseconds> forecast(std::uint8_t lane,
                                                      const std::vector<std::uint64_t>& pending_by_lane,
                                                      steady_time now) const override;

  private:
    enum class place : std::uint8_t { behind, ready, resting, in_flight };

    // How an attempt in flight was begun.
    struct flight {
        steady_time began{};
        std::uint32_t key = 0; // that it carries: counts the changes
        bool throttle_probe = false;
        bool breaker_probe = false;
        bool hold_probe = false;
        bool along = false;  // in the request of another event
        bool waited = false; // for its token
        nanoseconds gap{};   // since the attempt before
        bool probe() const { return throttle_probe || breaker_probe || hold_probe; }
    };

    struct held_event {
        candidate what;
        place where = place::ready;
        ready_events::turn turn = 0;
        bool ambiguous = false;     // some attempt may have been counted by the API
        bool forgotten = false;     // in flight, and ended elsewhere
        bool suspected = false;     // failed while others succeeded
        std::uint32_t sent = 0;     // attempts, 429s not counted
        std::uint32_t failures = 0; // for backoff
        std::uint32_t counted = 0;  // against max_attempts
        bool condemned = false;     // in flight, and the next failure is the end
        bool stale = false;         // the last attempt met a connection that was closed meanwhile
        wall_time first_attempt{};
        steady_time rests_until{};
        std::uint32_t failed_spans = 0;         // between successes of others, in which it failed
        std::optional<std::uint64_t> failed_at; // breaker::successes() at the last failure
        std::optional<steady_time> refused_at;  // when last
        flight attempt;
    };

    struct lane {
        ready_events ready;
        user_order users;
        payment_order payments;
        lane_reader reader;
        std::size_t in_flight = 0;
        explicit lane(user_order::limits by) : users(by) {}
    };

    struct choice {
        sequence number = 0;
        bool hold_probe = false;
        bool along = false;
    };

    // scheduler_memory.cpp
    std::size_t untried(const lane& one) const;
    std::size_t failed() const; // waiting for a retry, or ready for it
    admission admit(const candidate& event);
    void make_ready(held_event& event);
    void rest(held_event& event, steady_time until);
    bool step_back(held_event& event);
    void remove(sequence number);
    static verdict death_of(const held_event& event, const char* reason);
    void dismiss(const held_event& event, const char* reason);
    void advance(steady_time now, wall_time wall);

    // scheduler_next.cpp
    enum class mode : std::uint8_t { usual, probe, untried_users };

    std::optional<choice> choose(steady_time now, wall_time wall, mode how);
    std::optional<sequence> choose_hold_probe(steady_time now);
    std::optional<sequence> choose_probe(path_mask paths);
    std::optional<sequence> choose_untried(path_mask paths) const;
    std::optional<sequence> choose_next(path_mask paths);
    std::optional<sequence> choose_along(const held_event& before) const;
    sequence anywhere(const lane& in, path_mask paths, std::uint64_t not_user);
    send_event begin(const choice& chosen, steady_time now, wall_time wall, bool throttle_probe,
                     bool breaker_probe);
    path_mask open_paths() const;
    bool may_begin(const lane& one) const;
    std::size_t in_flight_limit() const;

    // scheduler_ended.cpp
    void learn(const flight& attempt, outcome what, const attempt_end& how, steady_time now, wall_time wall);
    verdict delivered(held_event& event, steady_time now);
    verdict rejected(held_event& event, const attempt_end& how, steady_time now);
    verdict nothing_to_remove(held_event& event, steady_time now);
    verdict refused(held_event& event, outcome what, const attempt_end& how, steady_time now);
    verdict failed(held_event& event, const attempt_end& how, steady_time now, wall_time wall);
    verdict dead(held_event& event, const char* reason, steady_time now);
    verdict retry(held_event& event, std::optional<steady_time> until);
    void count_failure(sequence number);
    void release(held_event& event);

    hold& hold_of(const held_event& event) { return holds_.at(static_cast<std::size_t>(event.what.path)); }

    settings options_;
    random_numbers random_;
    backoff backoff_;
    backoff outage_backoff_; // rests of events while the breaker is open: they are to be there when it closes
    adaptive_rate rate_;
    token_bucket bucket_;
    bool waited_ = false; // something was ready, and no token
    steady_time last_begun_ = steady_time{};
    throttle throttle_;
    breaker breaker_;
    std::vector<hold> holds_; // by path
    expiry expiry_;
    lane_picker picker_;
    speed_meter speed_;
    std::vector<lane> lanes_;
    std::vector<unsigned> weights_;
    std::unordered_map<sequence, held_event> events_;
    std::set<std::pair<steady_time, sequence>> resting_;
    std::deque<dismissal> dismissed_;
    std::size_t in_flight_ = 0;
    std::size_t stale_ = 0;     // attempts that met a closed connection, since the last answer
    std::size_t lane_limit_;    // slots that one lane may take
    std::size_t request_limit_; // events that a request may carry now
    std::uint32_t key_ = 0;
    std::uint8_t probe_lane_ = 0; // probes take the lanes in turn
    std::uint64_t last_probed_user_ = 0;
    bool paused_ = false;
    bool draining_ = false;
};

} // namespace linkrunner::delivery
