// A loop and a clock whose time passes only when nothing is left to do: a day runs in milliseconds.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"

#include <deque>
#include <map>
#include <utility>

namespace linkrunner::test {

class virtual_clock final : public clock {
  public:
    steady_time steady() const noexcept override { return steady_; }
    wall_time wall() const noexcept override { return wall_; }

    void advance_to(steady_time when) {
        if (when > steady_) {
            wall_ += std::chrono::floor<std::chrono::milliseconds>(when - steady_ + remainder_);
            remainder_ = (when - steady_ + remainder_) % std::chrono::milliseconds(1);
            steady_ = when;
        }
    }
    void step_wall(std::chrono::milliseconds by) { wall_ += by; }

  private:
    steady_time steady_ = steady_time{} + std::chrono::hours(1);
    wall_time wall_ = wall_time{} + std::chrono::hours(24 * 365 * 56);
    std::chrono::nanoseconds remainder_{0};
};

class virtual_loop final : public loop {
  public:
    explicit virtual_loop(virtual_clock& time) : clock_(time) {}

    void post(task work) override { ready_.push_back(std::move(work)); }

    timer_id call_at(steady_time when, task work) override {
        const timer_id id = next_id_++;
        timers_.emplace(std::pair(when, id), std::move(work));
        return id;
    }

    void cancel(timer_id id) override {
        for (auto each = timers_.begin(); each != timers_.end(); ++each) {
            if (each->first.second == id) {
                timers_.erase(each);
                return;
            }
        }
    }

    // Runs what is ready, without letting time pass.
    void run_ready() {
        while (!ready_.empty()) {
            task next = std::move(ready_.front());
            ready_.pop_front();
            next();
        }
    }

    // Runs for so long in virtual time.
    void run_for(std::chrono::nanoseconds length) {
        const steady_time end = clock_.steady() + length;
        run_ready();
        while (!timers_.empty() && timers_.begin()->first.first <= end) {
            clock_.advance_to(timers_.begin()->first.first);
            task next = std::move(timers_.begin()->second);
            timers_.erase(timers_.begin());
            next();
            run_ready();
        }
        clock_.advance_to(end);
    }

    // Runs until the condition holds; false when that takes longer than `limit` of virtual time.
    template <class Condition>
    bool run_until(Condition holds, std::chrono::nanoseconds limit) {
        const steady_time end = clock_.steady() + limit;
        run_ready();
        while (!holds()) {
            if (timers_.empty() || timers_.begin()->first.first > end) {
                return false;
            }
            run_for(timers_.begin()->first.first - clock_.steady());
        }
        return true;
    }

    std::size_t timers() const { return timers_.size(); }

  private:
    virtual_clock& clock_;
    std::deque<task> ready_;
    std::map<std::pair<steady_time, timer_id>, task> timers_;
    timer_id next_id_ = 1;
};

} // namespace linkrunner::test
