// What the scheduler keeps in memory: events come in by reads and leave by their end.
#include "base/error.hpp"
#include "delivery/scheduler_core.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

constexpr std::size_t read_again_count = 128; // of one read for passed-over events
constexpr auto outage_rest = std::chrono::seconds(5);

std::vector<unsigned> weights_of(const settings& options) {
    std::vector<unsigned> out;
    for (const lane_settings& lane : options.lanes) {
        out.push_back(std::max(lane.weight, 1U));
    }
    return out;
}

// An eighth of the slots is kept for other lanes than the busiest.
std::size_t slots_of_one_lane(const settings& options) {
    const std::size_t all = std::max<std::size_t>(options.max_in_flight, 1);
    if (options.lanes.size() < 2 || all < 2) {
        return all;
    }
    return all - std::max<std::size_t>(all / 8, 1);
}

adaptive_rate::rules rate_rules(const settings& options) {
    adaptive_rate::rules out;
    out.longest_pause = std::max<nanoseconds>(options.retry_after_max, std::chrono::seconds(1));
    return out;
}

} // namespace

scheduler_core::scheduler_core(const settings& options, random_numbers random, steady_time now)
    : options_(options), random_(std::move(random)), backoff_(options.backoff_initial, options.backoff_max),
      outage_backoff_(options.backoff_initial,
                      std::min<std::chrono::milliseconds>(options.backoff_max, outage_rest)),
      rate_(options.rate_per_second, options.adaptive, rate_rules(options)),
      bucket_(rate_.rate(now), options.burst, now), throttle_(backoff_, options.retry_after_max),
      breaker_({}, std::max<std::size_t>(options.max_in_flight, 1)),
      holds_(endpoint_count, hold(options.hold_probe)), expiry_(options.max_age),
      picker_(weights_of(options)), weights_(weights_of(options)), lane_limit_(slots_of_one_lane(options)),
      request_limit_(options.events_per_request) {
    options_.max_in_flight = std::max<std::size_t>(options_.max_in_flight, 1);
    options_.window = std::max<std::size_t>(options_.window, 4);
    user_order::limits users;
    users.users = std::max<std::size_t>(
        options_.max_blocked_users / std::max<std::size_t>(options_.lanes.size(), 1), 1);
    users.behind_head = std::clamp<std::size_t>(options_.window / 16, 1, 64);
    if (options_.events_per_request > 1) { // they can go with their head
        users.behind_head = std::max<std::size_t>(options_.window / 4, 1);
    }
    lanes_.assign(options_.lanes.size(), lane(users));
}

void scheduler_core::change(const settings& options, steady_time now) {
    const std::size_t in_flight = std::max<std::size_t>(options.max_in_flight, 1);
    options_.rate_per_second = options.rate_per_second;
    options_.burst = options.burst;
    options_.adaptive = options.adaptive;
    options_.max_in_flight = in_flight;
    options_.max_attempts = options.max_attempts;
    options_.retry_after_max = options.retry_after_max;
    backoff_ = backoff(options.backoff_initial, options.backoff_max);
    outage_backoff_ = backoff(options.backoff_initial,
                              std::min<std::chrono::milliseconds>(options.backoff_max, outage_rest));
    rate_.change(options.rate_per_second, options.adaptive);
    bucket_.set_rate(rate_.pace(now), now);
    bucket_.set_burst(options.burst, now);
    throttle_.change(backoff_, options.retry_after_max);
    breaker_.set_max_in_flight(in_flight);
    for (hold& one : holds_) {
        one.set_probe_interval(options.hold_probe, now);
    }
    expiry_.set_max_age(options.max_age);
    weights_ = weights_of(options);
    weights_.resize(lanes_.size(), 1);
    picker_.set_weights(weights_);
    lane_limit_ = slots_of_one_lane(options);
}

std::unique_ptr<scheduler> scheduler::make(const settings& options, random_numbers random, steady_time now) {
    return std::make_unique<scheduler_core>(options, std::move(random), now);
}

std::size_t scheduler_core::untried(const lane& one) const {
    return one.ready.fresh_count() + one.users.waiting_behind();
}

std::size_t scheduler_core::failed() const {
    std::size_t out = resting_.size();
    for (const lane& one : lanes_) {
        out += one.ready.failed_count();
    }
    return out;
}

std::optional<scheduler::request_for_more> scheduler_core::wanted(std::uint8_t which) {
    lane& one = lanes_.at(which);
    const std::size_t window =
        draining_ ? std::min(options_.window, std::max<std::size_t>(2 * options_.max_in_flight, 64))
                  : options_.window;
    const std::size_t held = untried(one);
    const bool refill = held <= window - window / 4 && failed() < options_.max_resting && !one.users.full();
    const auto again = held < window + window / 4 ? one.users.read_again() : std::nullopt;
    const auto plan = one.reader.next(again, refill);
    if (!plan) {
        return std::nullopt;
    }
    one.reader.begins(*plan);
    one.users.read_begins(plan->from);
    const std::size_t count = plan->again ? read_again_count : window - held;
    return request_for_more{which, plan->from, count};
}

void scheduler_core::read_done(std::uint8_t which, sequence next, bool at_end) {
    lane& one = lanes_.at(which);
    const sequence shown = one.reader.ended(next, at_end);
    one.users.read_ends(shown, one.reader.frontier());
}

void scheduler_core::stored(std::uint8_t which) {
    lanes_.at(which).reader.stored();
}

void scheduler_core::replayed(std::uint8_t which, sequence number) {
    lanes_.at(which).reader.replayed(number);
}

admission scheduler_core::offer(const candidate& event) {
    lane& one = lanes_.at(event.lane);
    if (event.path == endpoint::remove_payment) {
        candidate behind = event;
        behind.user_key = one.payments.payer_before(event.payment_key, event.number).value_or(event.user_key);
        return admit(behind);
    }
    const admission how = admit(event);
    if (how == admission::ambiguous_dead) {
        one.payments.ended(event.number);
    } else if (how != admission::known && event.path == endpoint::capture_payment) {
        one.payments.waits(event.payment_key, event.user_key, event.number);
    }
    return how;
}

admission scheduler_core::admit(const candidate& event) {
    lane& one = lanes_.at(event.lane);
    if (events_.contains(event.number) || one.reader.has_gone(event.number)) {
        return admission::known;
    }
    if (one.reader.is_cut()) {
        return admission::passed_over;
    }
    if (event.was_sending && event.ambiguous_dead) {
        one.reader.gone(event.number);
        return admission::ambiguous_dead;
    }
    auto where = user_order::place::head;
    if (options_.order_by_user) {
        where = one.users.offer(event.user_key, event.number);
    }
    if (where == user_order::place::no_room) {
        one.reader.cut_at(event.number);
        return admission::passed_over;
    }
    if (where == user_order::place::passed) {
        return admission::passed_over;
    }
    held_event& added = events_[event.number];
    added.what = event;
    added.ambiguous = event.was_sending;
    added.where = place::behind;
    expiry_.accepted(event.accepted_at, event.max_age);
    if (where == user_order::place::head) {
        make_ready(added);
    }
    return admission::taken;
}

void scheduler_core::make_ready(held_event& event) {
    event.where = place::ready;
    event.turn =
        lanes_[event.what.lane].ready.add(event.what.path, event.what.number, event.failures > 0, event.turn);
}

// Events of its user that waited behind it make room; those that went along with it when they have ended.
void scheduler_core::rest(held_event& event, steady_time until) {
    event.where = place::resting;
    event.rests_until = until;
    resting_.emplace(until, event.what.number);
    if (!options_.order_by_user) {
        return;
    }
    for (const sequence number : lanes_[event.what.lane].users.rest(event.what.user_key)) {
        if (events_.at(number).where != place::in_flight) {
            events_.erase(number);
            dismissed_.push_back({number, std::nullopt});
        }
    }
}

// An event that went along with an earlier one of its user, which has not ended: it waits behind that one
// again, or has to be read again if that one rests. False for all others.
bool scheduler_core::step_back(held_event& event) {
    const user_order& users = lanes_[event.what.lane].users;
    const sequence number = event.what.number;
    if (!options_.order_by_user || users.is_head(event.what.user_key, number)) {
        return false;
    }
    if (users.is_behind(event.what.user_key, number)) {
        event.where = place::behind;
    } else {
        events_.erase(number);
        dismissed_.push_back({number, std::nullopt});
    }
    return true;
}

void scheduler_core::remove(sequence number) {
    const auto found = events_.find(number);
    LINKRUNNER_INVARIANT(found != events_.end());
    const held_event& event = found->second;
    lane& one = lanes_[event.what.lane];
    if (event.where == place::ready) {
        one.ready.remove(event.what.path, event.turn, event.failures > 0);
    } else if (event.where == place::resting) {
        resting_.erase({event.rests_until, number});
    }
    one.reader.gone(number);
    const std::uint64_t user = event.what.user_key;
    one.payments.ended(number);
    events_.erase(found);
    if (!options_.order_by_user) {
        return;
    }
    const auto next = one.users.remove(user, number);
    if (next && events_.at(*next).where == place::behind) { // else it went along
        make_ready(events_.at(*next));
    }
}

verdict scheduler_core::death_of(const held_event& event, const char* reason) {
    verdict out;
    out.kind = verdict_kind::dead;
    out.reason = reason;
    out.attempts = event.sent;
    out.first_attempt = event.first_attempt;
    out.ambiguous = event.ambiguous;
    return out;
}

void scheduler_core::dismiss(const held_event& event, const char* reason) {
    dismissed_.push_back({event.what.number, death_of(event, reason)});
    remove(event.what.number);
}

std::optional<dismissal> scheduler_core::dismissed() {
    if (dismissed_.empty()) {
        return std::nullopt;
    }
    dismissal out = std::move(dismissed_.front());
    dismissed_.pop_front();
    return out;
}

void scheduler_core::forget(sequence number) {
    const auto found = events_.find(number);
    if (found == events_.end()) {
        for (lane& one : lanes_) {
            one.reader.gone_elsewhere(number);
        }
        return;
    }
    if (found->second.where == place::in_flight) {
        found->second.forgotten = true;
        return;
    }
    remove(number);
}

// Time passes: rests end, caps of the rate end, spans that do not age events begin and end.
void scheduler_core::advance(steady_time now, wall_time wall) {
    while (!resting_.empty() && resting_.begin()->first <= now) {
        held_event& event = events_.at(resting_.begin()->second);
        resting_.erase(resting_.begin());
        if (options_.order_by_user) {
            lanes_[event.what.lane].users.wake(event.what.user_key);
        }
        make_ready(event);
    }
    bucket_.set_rate(rate_.pace(now), now);
    expiry_.observe(now, wall);
    for (std::size_t path = 0; path < holds_.size(); ++path) {
        const bool stopped = paused_ || breaker_.open() || holds_[path].kind() != hold_kind::none;
        expiry_.set_stopped(static_cast<endpoint>(path), stopped, wall);
    }
}

} // namespace linkrunner::delivery
