// What the scheduler says about itself.
#include "delivery/scheduler_core.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace linkrunner::delivery {

namespace {

upstream_state state_for(hold_kind kind) {
    switch (kind) {
    case hold_kind::unauthorized:
        return upstream_state::held_unauthorized;
    case hold_kind::suspended:
        return upstream_state::held_suspended;
    case hold_kind::misconfigured:
        return upstream_state::held_misconfigured;
    case hold_kind::rejecting:
        return upstream_state::held_rejecting;
    case hold_kind::none:
        break;
    }
    return upstream_state::healthy;
}

std::string words_for_hold(const hold& held, std::string_view path) {
    const std::string where = " from " + std::string(path);
    if (held.kind() == hold_kind::rejecting) {
        return std::to_string(held.rejected_in_a_row()) +
               " different events in a row rejected, the last with " + std::to_string(held.status()) + where +
               "; probing";
    }
    return std::to_string(held.status()) + where +
           "; nothing is lost; probing with a different event each time";
}

} // namespace

const char* word_for(upstream_state state) noexcept {
    switch (state) {
    case upstream_state::paused:
        return "paused";
    case upstream_state::held_unauthorized:
        return "held_unauthorized";
    case upstream_state::held_suspended:
        return "held_suspended";
    case upstream_state::held_misconfigured:
        return "held_misconfigured";
    case upstream_state::held_rejecting:
        return "held_rejecting";
    case upstream_state::outage:
        return "outage";
    case upstream_state::throttled:
        return "throttled";
    case upstream_state::draining:
        return "draining";
    case upstream_state::healthy:
        return "healthy";
    }
    return "";
}

bool is_held(upstream_state state) noexcept {
    return state >= upstream_state::held_unauthorized && state <= upstream_state::held_rejecting;
}

scheduler::view scheduler_core::look(steady_time now) const {
    view out;
    out.rate_per_second = rate_.rate(now);
    out.ceiling_per_second = rate_.ceiling();
    out.in_flight = in_flight_;
    out.waiting = events_.size() - in_flight_;
    for (const lane& one : lanes_) {
        out.blocked_users += one.users.passed_users();
    }
    out.expiry_note = expiry_.note();
    if (draining_) {
        out.state = upstream_state::draining;
        out.reason = "no new events are taken; those that wait are being delivered";
    }
    if (throttle_.active()) {
        out.state = upstream_state::throttled;
        out.reason = throttle_.reason();
        out.until = throttle_.until();
    }
    if (breaker_.open()) {
        out.state = upstream_state::outage;
        out.reason = std::to_string(breaker_.failures_in_a_row()) +
                     " attempts in a row failed and none succeeded; probing with one at a time";
        out.until = breaker_.next_probe();
    }
    const hold* worst = nullptr;
    for (std::size_t path = 0; path < holds_.size(); ++path) {
        const hold& one = holds_[path];
        if (one.kind() != hold_kind::none && (worst == nullptr || one.kind() < worst->kind())) {
            worst = &one;
            out.state = state_for(one.kind());
            out.reason = words_for_hold(one, path_of(static_cast<endpoint>(path)));
            out.until = one.next_probe();
        }
    }
    if (paused_) {
        out.state = upstream_state::paused;
        out.reason = "paused by an operator";
        out.until.reset();
    }
    return out;
}

std::optional<std::chrono::milliseconds>
scheduler_core::forecast(std::uint8_t lane, const std::vector<std::uint64_t>& pending_by_lane,
                         steady_time now) const {
    if (paused_ || breaker_.open() || open_paths() != all_paths) {
        return std::nullopt;
    }
    const double possible = rate_.rate(now) * static_cast<double>(request_limit_);
    const double speed = std::min(possible, speed_.per_second(now).value_or(possible));
    auto wait = forecast_wait(lane, pending_by_lane, weights_, speed);
    if (wait && throttle_.active() && throttle_.until() > now) {
        *wait += std::chrono::ceil<std::chrono::milliseconds>(throttle_.until() - now);
    }
    return wait;
}

} // namespace linkrunner::delivery
