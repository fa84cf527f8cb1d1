// Many daemons, one limit, no coordination: the real schedulers (lib/delivery) of many daemons, each with
// more events than it can send, before one simulated API that keeps one limit for all of them. On virtual
// time, by a plain queue of events. Used by tests/unit/delivery/pacing_test.cpp and
// tests/bench/pacing_bench.cpp.
#pragma once

#include "delivery/scheduler.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <utility>
#include <vector>

namespace linkrunner::test {

enum class limit_kind : std::uint8_t { token_bucket, fixed_window, sliding_log };

// A limit of so many requests per second. What is refused does not count against it.
class api_limit {
  public:
    api_limit(limit_kind kind, int most) : kind_(kind), most_(most), level_(most) {}

    bool admit(double now) {
        return kind_ == limit_kind::token_bucket   ? by_bucket(now)
               : kind_ == limit_kind::fixed_window ? by_window(now)
                                                   : by_log(now);
    }

  private:
    bool by_bucket(double now) { // which holds a second's worth
        level_ = std::min<double>(most_, level_ + (now - std::exchange(last_, now)) * most_);
        const bool admitted = level_ >= 1;
        level_ -= admitted ? 1 : 0;
        return admitted;
    }
    bool by_window(double now) {
        if (std::exchange(window_, std::floor(now)) != std::floor(now)) {
            count_ = 0;
        }
        const bool admitted = count_ < most_;
        count_ += admitted ? 1 : 0;
        return admitted;
    }
    bool by_log(double now) {
        while (!log_.empty() && log_.front() <= now - 1) {
            log_.pop_front();
        }
        const bool admitted = log_.size() < static_cast<std::size_t>(most_);
        if (admitted) {
            log_.push_back(now);
        }
        return admitted;
    }

    limit_kind kind_;
    int most_;
    double level_;
    double last_ = 0;
    double window_ = -1;
    int count_ = 0;
    std::deque<double> log_;
};

struct sharing {
    std::size_t daemons = 1;
    limit_kind kind = limit_kind::token_bucket;
    int limit = 30;                    // requests per second
    std::optional<double> rate;        // configured; nothing: auto
    std::chrono::seconds joining{600}; // the daemons start, one after the other, within this time
    std::chrono::seconds settling{7200};
    std::chrono::seconds measured{7200};
    std::chrono::seconds window{1200}; // of the fairness index
    std::uint64_t seed = 1;
};

struct shares {
    double used = 0;       // part of the limit
    double throttled = 0;  // part of all answers that are 429
    double least_fair = 1; // Jain's index over the windows: the worst
    double fair = 0;       // and the mean
    // Rates in force of the first daemons, one sample every ten seconds from the beginning.
    std::vector<std::vector<double>> rates;
};

class shared_limit {
  public:
    explicit shared_limit(const sharing& what)
        : what_(what), limit_(what.kind, what.limit), random_(what.seed), daemons_(what.daemons),
          sent_(what.daemons) {
        out_.rates.resize(std::min<std::size_t>(what.daemons, most_sampled));
    }

    shares run() {
        for (std::size_t i = 0; i < daemons_.size(); ++i) {
            push(in_seconds(uniform() * seconds_of(what_.joining)), i, task::kind::start);
        }
        const steady_time from = begin_ + what_.joining + what_.settling;
        const steady_time end = from + what_.measured;
        steady_time window_end = from + what_.window;
        steady_time sample = begin_;
        while (!tasks_.empty() && tasks_.top().at <= end) {
            const task next = tasks_.top();
            tasks_.pop();
            for (; sample <= next.at; sample += std::chrono::seconds(10)) {
                take_sample();
            }
            now_ = next.at;
            measuring_ = now_ >= from;
            for (; window_end <= now_; window_end += what_.window) {
                close_window();
            }
            obey(next);
        }
        close_window();
        out_.used = admitted_ / (seconds_of(what_.measured) * what_.limit);
        out_.throttled = refused_ / std::max(1.0, admitted_ + refused_);
        out_.fair = windows_ > 0 ? out_.fair / windows_ : 0;
        return std::move(out_);
    }

  private:
    using steady_time = delivery::steady_time;
    static constexpr std::size_t most_sampled = 10;

    struct daemon {
        std::unique_ptr<delivery::scheduler> rules;
        delivery::sequence stored = 0;
        steady_time wake = steady_time::max();
    };
    struct task {
        enum class kind : std::uint8_t { start, wake, arrival, answer };
        steady_time at;
        std::uint64_t order = 0;
        std::size_t who = 0;
        kind what = kind::wake;
        delivery::sequence number = 0;
        bool admitted = false;
        bool operator<(const task& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    static double seconds_of(std::chrono::nanoseconds span) {
        return std::chrono::duration<double>(span).count();
    }
    static std::chrono::nanoseconds in_seconds(double count) {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(count * 1e9));
    }
    double uniform() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }

    void push(std::chrono::nanoseconds wait, std::size_t who, task::kind what, delivery::sequence number = 0,
              bool admitted = false) {
        tasks_.push({now_ + wait, ++order_, who, what, number, admitted});
    }

    void obey(const task& next) {
        daemon& one = daemons_[next.who];
        switch (next.what) {
        case task::kind::start:
            start(one);
            break;
        case task::kind::wake:
            if (one.wake != next.at) {
                return; // an earlier plan
            }
            one.wake = steady_time::max();
            break;
        case task::kind::arrival:
            arrive(next);
            return;
        case task::kind::answer: {
            delivery::attempt_end end;
            end.status = next.admitted ? 200 : 429;
            end.sent_whole = true;
            one.rules->ended(next.number, end, now_, wall());
            break;
        }
        }
        pump(next.who);
    }

    void start(daemon& one) {
        delivery::settings options;
        options.rate_per_second = what_.rate;
        options.order_by_user = false;
        options.window = 64;
        options.lanes = {{"default", 1, {"*"}, false}};
        one.rules = delivery::scheduler::make(options, [this] { return uniform(); }, now_);
    }

    void pump(std::size_t who) {
        daemon& one = daemons_[who];
        if (const auto wanted = one.rules->wanted(0)) {
            for (std::size_t i = 0; i < wanted->count; ++i) {
                delivery::candidate event;
                event.number = ++one.stored;
                event.user_key = event.number;
                event.accepted_at = wall();
                one.rules->offer(event);
            }
            one.rules->read_done(0, one.stored + 1, false);
        }
        while (const auto what = one.rules->next(now_, wall())) {
            push(one_way(), who, task::kind::arrival, what->number);
        }
        const steady_time wake = one.rules->wake_at(now_);
        if (wake != one.wake && wake != steady_time::max()) {
            push(wake - now_, who, task::kind::wake);
        }
        one.wake = wake;
    }

    void arrive(const task& request) {
        const bool admitted = limit_.admit(seconds_of(now_.time_since_epoch()));
        if (measuring_) {
            (admitted ? admitted_ : refused_) += 1;
            sent_[request.who] += admitted ? 1 : 0;
        }
        push(one_way(), request.who, task::kind::answer, request.number, admitted);
    }

    std::chrono::nanoseconds one_way() { return in_seconds(0.04 + 0.01 * uniform()); }

    delivery::wall_time wall() const {
        return delivery::wall_time(std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch()));
    }

    void take_sample() {
        for (std::size_t i = 0; i < out_.rates.size(); ++i) {
            out_.rates[i].push_back(daemons_[i].rules ? daemons_[i].rules->look(now_).rate_per_second : 0);
        }
    }

    // Jain, Chiu and Hawe, "A Quantitative Measure of Fairness", 1984: 1 for equal shares, 1/n for one alone.
    void close_window() {
        double sum = 0;
        double squares = 0;
        for (const double one : sent_) {
            sum += one;
            squares += one * one;
        }
        if (sum == 0) {
            return;
        }
        const double index = sum * sum / (static_cast<double>(sent_.size()) * squares);
        out_.least_fair = std::min(out_.least_fair, index);
        out_.fair += index;
        ++windows_;
        std::ranges::fill(sent_, 0);
    }

    sharing what_;
    api_limit limit_;
    std::mt19937_64 random_;
    const steady_time begin_{std::chrono::seconds(1000)};
    steady_time now_ = begin_;
    std::vector<daemon> daemons_;
    std::priority_queue<task> tasks_;
    std::uint64_t order_ = 0;
    bool measuring_ = false;
    double admitted_ = 0, refused_ = 0;
    std::vector<double> sent_; // in this window, by daemon
    int windows_ = 0;
    shares out_;
};

} // namespace linkrunner::test
