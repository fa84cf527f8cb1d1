// What to begin next, and when to ask again.
#include "delivery/scheduler_core.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

constexpr int most_expired_at_once = 256; // so that one call stays short
constexpr int most_looked_at = 16;

} // namespace

std::size_t scheduler_core::in_flight_limit() const {
    return std::min(options_.max_in_flight, breaker_.in_flight_limit());
}

path_mask scheduler_core::open_paths() const {
    path_mask out = 0;
    for (std::size_t path = 0; path < holds_.size(); ++path) {
        out |= holds_[path].kind() == hold_kind::none ? path_mask{1} << path : 0;
    }
    return out;
}

bool scheduler_core::may_begin(const lane& one) const {
    return one.in_flight < lane_limit_;
}

std::optional<send_event> scheduler_core::next(steady_time now, wall_time wall) {
    advance(now, wall);
    if (paused_) {
        return std::nullopt;
    }
    const gate throttled = throttle_.at(now);
    const gate broken = breaker_.at(now);
    const std::size_t limit = breaker_.open() ? options_.max_in_flight : in_flight_limit();
    if (throttled == gate::closed || in_flight_ >= limit) {
        return std::nullopt;
    }
    if (broken == gate::closed && !breaker_.may_try_others()) {
        return std::nullopt;
    }
    if (bucket_.ready_at(now) > now) {
        waited_ = waited_ || std::ranges::any_of(lanes_, [this](const lane& one) {
                      return one.ready.any(open_paths()) && may_begin(one);
                  });
        return std::nullopt;
    }
    const mode how = broken == gate::open    ? mode::usual
                     : broken == gate::probe ? mode::probe
                                             : mode::untried_users;
    const auto chosen = choose(now, wall, how);
    if (!chosen) {
        const bool all_read = std::ranges::all_of(
            lanes_, [](const lane& one) { return one.reader.at_end() && !one.users.read_again(); });
        if (all_read && events_.size() == in_flight_) {
            speed_.starved(now);
        }
        return std::nullopt;
    }
    bucket_.take(now);
    return begin(*chosen, now, wall, throttled == gate::probe, breaker_.open());
}

std::optional<send_event> scheduler_core::next_along(sequence before, std::size_t so_far, steady_time now,
                                                     wall_time wall) {
    const held_event& prior = events_.at(before);
    if (so_far >= request_limit_ || in_flight_ >= in_flight_limit() || prior.attempt.probe() ||
        prior.suspected) {
        return std::nullopt;
    }
    auto found = choose_along(prior);
    if (!found) {
        found = choose_next(open_paths());
    }
    if (!found) {
        return std::nullopt;
    }
    const held_event& event = events_.at(*found);
    if (event.suspected ||
        expiry_.expired(event.what.path, event.what.accepted_at, event.what.max_age, wall)) {
        return std::nullopt; // next() will see to it
    }
    return begin({*found, false, true}, now, wall, false, false);
}

// Of the same user, the next in its line. An event that may have to go alone ends the line for this request.
std::optional<sequence> scheduler_core::choose_along(const held_event& before) const {
    const lane& one = lanes_[before.what.lane];
    if (!options_.order_by_user || !may_begin(one)) {
        return std::nullopt;
    }
    const auto next = one.users.after(before.what.user_key, before.what.number);
    if (!next) {
        return std::nullopt;
    }
    const held_event& event = events_.at(*next);
    const bool open = (open_paths() >> static_cast<std::size_t>(event.what.path) & 1) != 0;
    return open && event.where == place::behind && !event.suspected ? next : std::nullopt;
}

std::optional<scheduler_core::choice> scheduler_core::choose(steady_time now, wall_time wall, mode how) {
    const path_mask paths = open_paths();
    if (how == mode::untried_users) {
        const auto found = choose_untried(paths);
        return found ? std::optional(choice{*found, false}) : std::nullopt;
    }
    if (const auto held = choose_hold_probe(now)) {
        return choice{*held, true};
    }
    if (how == mode::probe) {
        const auto found = choose_probe(paths);
        return found ? std::optional(choice{*found, false}) : std::nullopt;
    }
    for (int expired = 0; expired < most_expired_at_once; ++expired) {
        const auto found = choose_next(paths);
        if (!found) {
            return std::nullopt;
        }
        const held_event& event = events_.at(*found);
        if (!expiry_.expired(event.what.path, event.what.accepted_at, event.what.max_age, wall)) {
            return choice{*found, false};
        }
        dismiss(event, "age");
    }
    return std::nullopt;
}

std::optional<sequence> scheduler_core::choose_hold_probe(steady_time now) {
    for (std::size_t path = 0; path < holds_.size(); ++path) {
        if (holds_[path].at(now) != gate::probe) {
            continue;
        }
        const path_mask only = path_mask{1} << path;
        for (std::size_t step = 0; step < lanes_.size(); ++step) {
            probe_lane_ = static_cast<std::uint8_t>((probe_lane_ + 1U) % lanes_.size());
            if (lanes_[probe_lane_].ready.any(only)) {
                return anywhere(lanes_[probe_lane_], only, holds_[path].probed_user());
            }
        }
    }
    return std::nullopt;
}

// Lanes in turn, and anywhere in the lane: a few poisonous events at the front must not be all that is tried.
std::optional<sequence> scheduler_core::choose_probe(path_mask paths) {
    for (std::size_t step = 0; step < lanes_.size(); ++step) {
        probe_lane_ = static_cast<std::uint8_t>((probe_lane_ + 1U) % lanes_.size());
        if (lanes_[probe_lane_].ready.any(paths)) {
            return anywhere(lanes_[probe_lane_], paths, last_probed_user_);
        }
    }
    return std::nullopt;
}

// An event of a user of whom nothing has failed. With order per user, it is among as many fresh ones as there
// are users that have failed, and one.
std::optional<sequence> scheduler_core::choose_untried(path_mask paths) const {
    for (const lane& one : lanes_) {
        const auto found = one.ready.fresh(paths, most_looked_at, [&](sequence number) {
            return !breaker_.has_failed(events_.at(number).what.user_key);
        });
        if (found) {
            return found;
        }
    }
    return std::nullopt;
}

// At a random place, and not of this user if there is another's beside it.
sequence scheduler_core::anywhere(const lane& in, path_mask paths, std::uint64_t not_user) {
    const sequence number = *in.ready.anywhere(paths, random_());
    const held_event& found = events_.at(number);
    return found.what.user_key == not_user ? *in.ready.around(paths, found.turn + 1) : number;
}

std::optional<sequence> scheduler_core::choose_next(path_mask paths) {
    lane_mask able = 0;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        able |= may_begin(lanes_[i]) && lanes_[i].ready.any(paths) ? lane_mask{1} << i : 0;
    }
    const auto picked = picker_.pick(able);
    if (!picked) {
        return std::nullopt;
    }
    if (breaker_.doubtful()) {
        return anywhere(lanes_[*picked], paths, last_probed_user_);
    }
    return lanes_[*picked].ready.first(paths);
}

send_event scheduler_core::begin(const choice& chosen, steady_time now, wall_time wall, bool throttle_probe,
                                 bool breaker_probe) {
    held_event& event = events_.at(chosen.number);
    lane& from = lanes_[event.what.lane];
    if (event.where == place::ready) {
        from.ready.remove(event.what.path, event.turn, event.failures > 0);
    }
    event.where = place::in_flight;
    event.attempt = {now, key_, throttle_probe, breaker_probe, chosen.hold_probe, chosen.along, false, {}};
    if (!chosen.along) {
        event.attempt.waited = std::exchange(waited_, false);
        event.attempt.gap = now - std::exchange(last_begun_, now);
        rate_.draw(random_());
    }
    if (event.sent == 0 && event.first_attempt == wall_time{}) {
        event.first_attempt = wall;
    }
    ++in_flight_;
    ++from.in_flight;
    picker_.charge(event.what.lane);
    if (throttle_probe) {
        throttle_.probe_begun();
    }
    if (breaker_probe) {
        breaker_.probe_begun();
        last_probed_user_ = event.what.user_key;
    }
    if (chosen.hold_probe) {
        hold_of(event).probe_begun(now, event.what.user_key);
    }
    return {chosen.number, event.sent + 1, event.attempt.probe(), event.what.ambiguous_dead};
}

steady_time scheduler_core::wake_at(steady_time now) const {
    const std::size_t limit = breaker_.open() ? options_.max_in_flight : in_flight_limit();
    if (paused_ || in_flight_ >= limit) {
        return steady_time::max();
    }
    if (throttle_.probing() || breaker_.probing()) {
        return steady_time::max();
    }
    const steady_time token = bucket_.ready_at(now);
    const steady_time cap_end = rate_.cap_until(); // from then on tokens come faster
    const steady_time paced = std::max(cap_end > now ? std::min(token, cap_end) : token, throttle_.until());
    const steady_time gates = breaker_.open() ? std::max(paced, breaker_.next_probe()) : paced;
    const path_mask open = open_paths();
    const bool others = breaker_.may_try_others();
    if (others && choose_untried(open)) {
        return paced;
    }
    steady_time out = steady_time::max();
    if (!resting_.empty()) {
        out = std::max(others ? paced : gates, resting_.begin()->first);
    }
    for (const lane& one : lanes_) {
        if (one.ready.any(open) && (breaker_.open() || may_begin(one))) {
            out = std::min(out, gates);
        }
        for (std::size_t path = 0; path < holds_.size(); ++path) {
            if (holds_[path].kind() != hold_kind::none && !holds_[path].probing() &&
                one.ready.any(path_mask{1} << path)) {
                out = std::min(out, std::max(gates, holds_[path].next_probe()));
            }
        }
    }
    return out;
}

} // namespace linkrunner::delivery
