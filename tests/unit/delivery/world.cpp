#include "unit/delivery/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace linkrunner::delivery::testing {

using namespace std::chrono_literals;

namespace {

constexpr int too_large = 413; // of a whole request, by something that stands between

bool is_of_whole(const attempt_end& end) {
    const outcome what = classify(end);
    return (what != outcome::delivered && what != outcome::rejected) || end.status == too_large;
}

} // namespace

answer answered(int status, std::chrono::nanoseconds after) {
    answer out;
    out.end.status = status;
    out.end.sent_whole = true;
    out.after = after;
    return out;
}

answer no_answer(bool sent_whole, std::chrono::nanoseconds after) {
    answer out;
    out.end.sent_whole = sent_whole;
    out.end.transport = sent_whole ? "timeout" : "connect";
    out.after = after;
    return out;
}

world::world(settings options, std::uint64_t seed, script upstream)
    : random(seed), options_(std::move(options)), upstream_(std::move(upstream)),
      by_lane_(options_.lanes.size()), reading_(options_.lanes.size()) {
    make();
}

void world::make() {
    auto numbers = std::make_shared<std::mt19937_64>(random());
    scheduler_ = scheduler::make(
        options_, [numbers] { return static_cast<double>((*numbers)() >> 11) * 0x1.0p-53; }, now_);
}

void world::restart() {
    ++life_;
    for (stored_event& one : events_) {
        one.what.was_sending = one.what.was_sending || (one.in_flight && one.what.ambiguous_dead);
        one.in_flight = false;
        one.in_memory = false;
        one.ended = !one.end.empty();
    }
    reading_.assign(reading_.size(), false);
    make();
    wake_ = steady_time::max();
    ++wake_order_;
    pump();
}

sequence world::accept(std::uint64_t user, std::uint8_t lane, bool ambiguous_dead) {
    stored_event added;
    added.what.number = events_.size() + 1;
    added.what.lane = lane;
    added.what.user_key = user;
    added.what.accepted_at = wall();
    added.what.ambiguous_dead = ambiguous_dead;
    events_.push_back(added);
    by_lane_[lane].push_back(added.what.number);
    if (check_order) {
        by_user_[{lane, user}].push_back(added.what.number);
    }
    ++pending_;
    stored_lanes_ |= 1U << lane;
    return added.what.number;
}

sequence world::accept_payment(std::uint64_t user, std::uint64_t payment, std::uint8_t lane) {
    const sequence number = accept(user, lane);
    event(number).what.path = endpoint::capture_payment;
    event(number).what.payment_key = payment;
    by_payment_[{lane, payment}].push_back(number);
    return number;
}

sequence world::accept_removal(std::uint64_t payment, std::uint8_t lane) {
    const sequence number = accept(~payment, lane); // of no user, so in the order of none
    by_user_[{lane, ~payment}].clear();
    event(number).what.path = endpoint::remove_payment;
    event(number).what.payment_key = payment;
    return number;
}

void world::accepted() {
    for (std::uint8_t lane = 0; lane < by_lane_.size(); ++lane) {
        if ((stored_lanes_ >> lane & 1) != 0) {
            scheduler_->stored(lane);
        }
    }
    stored_lanes_ = 0;
    pump();
}

void world::at(steady_time when, std::function<void()> what) {
    tasks_.push({std::max(when, now_), ++order_, std::make_shared<std::function<void()>>(std::move(what))});
}

void world::run_for(std::chrono::nanoseconds span) {
    const steady_time end = now_ + span;
    while (!tasks_.empty() && tasks_.top().at <= end) {
        const task next = tasks_.top();
        tasks_.pop();
        now_ = next.at;
        (*next.what)();
        if (::testing::Test::HasFatalFailure()) {
            return;
        }
    }
    now_ = end;
}

bool world::run_until_empty(std::chrono::nanoseconds at_most) {
    const steady_time end = now_ + at_most;
    while (pending_ > 0 && !tasks_.empty() && tasks_.top().at <= end) {
        const task next = tasks_.top();
        tasks_.pop();
        now_ = next.at;
        (*next.what)();
        if (::testing::Test::HasFatalFailure()) {
            return false;
        }
    }
    return pending_ == 0;
}

void world::pump() {
    while (const auto what = scheduler_->next(now_, wall())) {
        collect(); // those of age died before
        begin(*what);
    }
    collect();
    for (std::uint8_t lane = 0; lane < by_lane_.size(); ++lane) {
        if (!reading_[lane]) {
            read(lane);
        }
    }
    const steady_time when = scheduler_->wake_at(now_);
    ASSERT_GT(when, now_) << "asked to be asked again at once, after saying that there is nothing";
    if (when == wake_) {
        return;
    }
    wake_ = when;
    const std::uint64_t mine = ++wake_order_;
    if (when != steady_time::max()) {
        at(when, [this, mine] {
            if (mine == wake_order_) {
                wake_ = steady_time::max();
                pump();
            }
        });
    }
}

void world::read(std::uint8_t lane) {
    const auto wanted = scheduler_->wanted(lane);
    if (!wanted) {
        return;
    }
    ASSERT_GT(wanted->count, 0U);
    reading_[lane] = true;
    const std::vector<sequence>& numbers = by_lane_[lane];
    std::vector<sequence> shown;
    auto it = std::ranges::lower_bound(numbers, wanted->from);
    sequence next = wanted->from;
    for (; it != numbers.end() && shown.size() < wanted->count; ++it) {
        if (!event(*it).ended) {
            shown.push_back(*it);
        }
        next = *it + 1;
    }
    const bool at_end = it == numbers.end();
    after(50us, [this, lane, shown = std::move(shown), next, at_end, life = life_] {
        if (life == life_) {
            take(lane, shown, next, at_end);
        }
    });
}

void world::take(std::uint8_t lane, const std::vector<sequence>& shown, sequence next, bool at_end) {
    reading_[lane] = false;
    for (const sequence number : shown) {
        ++offered;
        stored_event& one = event(number);
        switch (scheduler_->offer(one.what)) {
        case admission::taken:
            ASSERT_FALSE(one.in_memory) << number;
            ASSERT_EQ(one.end, "") << number << " was taken after its end";
            one.in_memory = true;
            break;
        case admission::passed_over:
            ++passed_over;
            ASSERT_FALSE(one.in_memory);
            break;
        case admission::known:
            ASSERT_TRUE(one.in_memory || !one.end.empty()) << number << " is not known";
            break;
        case admission::ambiguous_dead:
            end(number, "ambiguous");
            break;
        }
    }
    scheduler_->read_done(lane, next, at_end);
    pump();
}

void world::check_may_be_sent(const stored_event& one) {
    ASSERT_TRUE(one.in_memory) << one.what.number;
    ASSERT_FALSE(one.in_flight) << one.what.number << " is sent twice at once";
    ASSERT_EQ(one.end, "") << one.what.number << " is sent after its end";
    if (!options_.order_by_user || !check_order) {
        return;
    }
    if (one.what.path == endpoint::remove_payment) {
        check_follows_payment(one);
        return;
    }
    const std::pair key(one.what.lane, one.what.user_key);
    const std::vector<sequence>& line = by_user_[key];
    std::size_t& first = first_open_[key];
    while (first < line.size() && !event(line[first]).end.empty()) {
        ++first;
    }
    for (std::size_t i = first; i < line.size() && line[i] < one.what.number; ++i) {
        ASSERT_TRUE(comes_before(line[i]))
            << "event " << line[i] << " of the user has not ended, and is not in the request of "
            << one.what.number;
    }
}

// Has ended, or stands in the request that is being made.
bool world::comes_before(sequence number) {
    const stored_event& one = event(number);
    return !one.end.empty() || (one.in_flight && one.request == request_);
}

void world::check_follows_payment(const stored_event& removal) {
    for (const sequence number : by_payment_[{removal.what.lane, removal.what.payment_key}]) {
        ASSERT_TRUE(number > removal.what.number || comes_before(number))
            << "removal " << removal.what.number << " overtakes payment " << number;
    }
}

// A request: what next() has named, and what goes along with it.
void world::begin(const send_event& first) {
    ++request_;
    std::vector<sequence> numbers;
    std::optional<send_event> what = first;
    while (what) {
        stored_event& one = event(what->number);
        check_may_be_sent(one);
        if (::testing::Test::HasFatalFailure()) {
            return;
        }
        one.in_flight = true;
        one.request = request_;
        numbers.push_back(what->number);
        what = options_.events_per_request > 1
                   ? scheduler_->next_along(what->number, numbers.size(), now_, wall())
                   : std::nullopt;
    }
    largest_request = std::max(largest_request, numbers.size());
    if (refuse_to_send) {
        after(1us, [this, numbers, life = life_] {
            if (life == life_) {
                for (const sequence number : numbers) {
                    event(number).in_flight = false;
                    scheduler_->not_sent(number, now_);
                }
                collect();
                pump();
            }
        });
        return;
    }
    std::vector<attempt_end> ends;
    const answer made = answer_for(numbers, ends);
    attempts.push_back({now_, first.number, first.probe, made.end.status});
    after(made.after, [this, numbers, ends, life = life_] {
        if (life == life_) {
            finish(numbers, ends);
        }
    });
}

// As of another linkrunnerd: each event of a request is taken or rejected by itself, any other answer to one
// of them is that of the whole request.
answer world::answer_for(const std::vector<sequence>& numbers, std::vector<attempt_end>& ends) {
    answer whole;
    for (const sequence number : numbers) {
        stored_event& one = event(number);
        ++one.sent;
        one.last_sent = now_;
        if (one.sent == 1) {
            one.first_sent = now_;
        }
        const answer made = upstream_(one, now_);
        if (number == numbers.front() || is_of_whole(made.end)) {
            whole = made;
        }
        ends.push_back(made.end);
    }
    if (is_of_whole(whole.end)) {
        ends.assign(numbers.size(), whole.end);
    }
    return whole;
}

void world::finish(const std::vector<sequence>& numbers, const std::vector<attempt_end>& ends) {
    for (const sequence number : numbers) {
        event(number).in_flight = false;
    }
    if (numbers.size() > 1 && ends.front().status == too_large) {
        ++refused_together;
        scheduler_->refused_together(numbers);
    } else {
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            told(numbers[i], ends[i]);
        }
    }
    collect();
    pump();
}

void world::told(sequence number, const attempt_end& how) {
    const verdict said = scheduler_->ended(number, how, now_, wall());
    if (said.kind == verdict_kind::delivered) {
        const bool known_to_be_done =
            event(number).what.path == endpoint::remove_payment && how.status == 400;
        ASSERT_TRUE(classify(how) == outcome::delivered || known_to_be_done);
        end(number, "delivered");
    } else if (said.kind == verdict_kind::dead) {
        end(number, said.reason);
    }
}

void world::collect() {
    while (const auto one = scheduler_->dismissed()) {
        ++dismissed;
        ASSERT_TRUE(event(one->number).in_memory);
        ASSERT_FALSE(event(one->number).in_flight);
        event(one->number).in_memory = false;
        if (one->dead) {
            end(one->number, one->dead->reason);
        }
    }
}

// The mark reaches the queue some time later; a read before that still shows the event.
void world::end(sequence number, const std::string& how) {
    stored_event& one = event(number);
    ASSERT_EQ(one.end, "") << number << " ended twice";
    one.end = how;
    one.ended_at = now_;
    one.in_memory = false;
    --pending_;
    if (slow_marks) {
        after(1us, [this, number] { event(number).ended = true; });
    } else {
        one.ended = true;
    }
}

void world::replay(sequence number) {
    stored_event& one = event(number);
    one.ended = false;
    one.end.clear();
    ++pending_;
    scheduler_->replayed(one.what.lane, number);
    pump();
}

void world::drop(sequence number) {
    stored_event& one = event(number);
    one.ended = true;
    end(number, "dropped");
    scheduler_->forget(number);
}

std::size_t world::count_of(const std::string& end) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(events_, [&](const stored_event& one) { return one.end == end; }));
}

std::vector<std::uint64_t> world::pending_by_lane() const {
    std::vector<std::uint64_t> out(by_lane_.size());
    for (const stored_event& one : events_) {
        out[one.what.lane] += one.end.empty() ? 1 : 0;
    }
    return out;
}

// For all i <= j: j - i + 1 <= burst + rate * (t[j] - t[i]), in whole numbers.
void world::check_rate(double rate, double burst) const {
    using wide = __int128;
    const auto micro_rate = static_cast<wide>(rate * 1e6);
    const auto room = static_cast<wide>(burst * 1e6) * 1'000'000'000;
    constexpr wide one = 1'000'000'000'000'000;
    wide lowest = 0;
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        const wide level = static_cast<wide>(i) * one -
                           static_cast<wide>(attempts[i].at.time_since_epoch().count()) * micro_rate;
        lowest = i == 0 ? level : std::min(lowest, level);
        ASSERT_LE(level - lowest + one, room) << "attempt " << i << " is over the rate";
    }
}

} // namespace linkrunner::delivery::testing
