// A small world for the scheduler, on virtual time: a queue whose reads and marks arrive late, an upstream
// that follows a script, and an owner that obeys as lib/forward does. It watches what must hold at every
// moment: never over the rate, at most one attempt of an event at a time, none after its end, order per user,
// no wake-up forgotten.
#pragma once

#include "delivery/scheduler.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace linkrunner::delivery::testing {

struct stored_event {
    candidate what;
    bool ended = false;     // its mark has reached the queue
    std::string end;        // "", "delivered", or the reason of its death; known at once
    std::uint32_t sent = 0; // attempts, 429s included
    std::uint32_t held_attempts = 0;
    steady_time first_sent{}, last_sent{}, ended_at{};
    bool in_flight = false;
    std::uint64_t request = 0; // that it was in last
    bool in_memory = false;
};

struct answer {
    attempt_end end;
    std::chrono::nanoseconds after{std::chrono::milliseconds(20)};
};

struct attempt_record {
    steady_time at;
    sequence number;
    bool probe;
    int status;
};

class world {
  public:
    using script = std::function<answer(const stored_event&, steady_time)>;

    world(settings options, std::uint64_t seed, script upstream);

    steady_time now() const { return now_; }
    wall_time wall() const {
        return wall_time(std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch()) +
                         wall_offset);
    }
    std::chrono::milliseconds wall_offset{1'700'000'000'000};

    sequence accept(std::uint64_t user, std::uint8_t lane = 1, bool ambiguous_dead = false);
    sequence accept_payment(std::uint64_t user, std::uint64_t payment, std::uint8_t lane = 1);
    sequence accept_removal(std::uint64_t payment, std::uint8_t lane = 1); // by payment_id alone
    void accepted(); // what accept() stored is told to the scheduler, once for many
    void at(steady_time when, std::function<void()> what);
    void after(std::chrono::nanoseconds wait, std::function<void()> what) {
        at(now_ + wait, std::move(what));
    }
    void run_for(std::chrono::nanoseconds span);
    // Until nothing is pending; false when time is up.
    bool run_until_empty(std::chrono::nanoseconds at_most);
    void replay(sequence number);
    void drop(sequence number);
    void restart(); // as after a kill -9: what was in flight is not known to have ended

    stored_event& event(sequence number) { return events_.at(number - 1); }
    std::size_t count() const { return events_.size(); }
    std::size_t pending() const { return pending_; }
    std::size_t count_of(const std::string& end) const;
    std::vector<std::uint64_t> pending_by_lane() const;
    void check_rate(double rate, double burst) const; // over every window

    scheduler& delivery() { return *scheduler_; }
    void pump();

    std::vector<attempt_record> attempts;
    std::size_t passed_over = 0, offered = 0, dismissed = 0;
    std::size_t largest_request = 0, refused_together = 0;
    bool slow_marks = true;
    bool refuse_to_send = false;
    bool check_order = true;
    std::mt19937_64 random;

  private:
    struct task {
        steady_time at;
        std::uint64_t order;
        std::shared_ptr<std::function<void()>> what;
        bool operator>(const task& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    void make();
    void read(std::uint8_t lane);
    void take(std::uint8_t lane, const std::vector<sequence>& shown, sequence next, bool at_end);
    void begin(const send_event& what);
    answer answer_for(const std::vector<sequence>& numbers, std::vector<attempt_end>& ends);
    void finish(const std::vector<sequence>& numbers, const std::vector<attempt_end>& ends);
    void told(sequence number, const attempt_end& how);
    void end(sequence number, const std::string& how);
    void collect();
    bool comes_before(sequence number);
    void check_may_be_sent(const stored_event& event);
    void check_follows_payment(const stored_event& removal);

    settings options_;
    script upstream_;
    steady_time now_{std::chrono::seconds(1000)};
    std::unique_ptr<scheduler> scheduler_;
    std::vector<stored_event> events_;
    std::vector<std::vector<sequence>> by_lane_;
    std::map<std::pair<std::uint8_t, std::uint64_t>, std::vector<sequence>> by_user_; // in order
    std::map<std::pair<std::uint8_t, std::uint64_t>, std::size_t> first_open_;
    std::map<std::pair<std::uint8_t, std::uint64_t>, std::vector<sequence>> by_payment_;
    std::priority_queue<task, std::vector<task>, std::greater<>> tasks_;
    std::uint64_t order_ = 0;
    std::uint64_t request_ = 0; // the last
    std::vector<bool> reading_;
    std::uint32_t stored_lanes_ = 0;
    std::size_t pending_ = 0;
    steady_time wake_{steady_time::max()};
    std::uint64_t wake_order_ = 0;
    std::uint64_t life_ = 0; // counts restarts: what was begun in an earlier life never arrives
};

answer answered(int status, std::chrono::nanoseconds after = std::chrono::milliseconds(20));
answer no_answer(bool sent_whole, std::chrono::nanoseconds after = std::chrono::milliseconds(20));

} // namespace linkrunner::delivery::testing
