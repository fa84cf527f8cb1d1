// What the end of an attempt means: for the event, and for everything else.
#include "base/error.hpp"
#include "delivery/retry_after.hpp"
#include "delivery/scheduler_core.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

constexpr std::uint32_t spans_that_make_suspect = 3;
constexpr auto rest_of_unsent = std::chrono::seconds(1);

std::string words_for_pause(const attempt_end& how) {
    std::string out = std::to_string(how.status);
    if (!how.retry_after.empty()) {
        out += " with Retry-After: " + how.retry_after.substr(0, 64);
    }
    return out;
}

// Retry-After; on a 429 without one, the time at which the limit is reset.
std::optional<nanoseconds> wait_asked_for(const attempt_end& how, wall_time wall) {
    if (const auto wait = retry_after(how, wall)) {
        return wait;
    }
    const rate_hint hint = rate_hint_of(how, wall);
    const bool used_up = how.status == 429 && hint.remaining.value_or(0) == 0;
    return used_up && hint.reset && *hint.reset > nanoseconds(0) ? hint.reset : std::nullopt;
}

} // namespace

verdict scheduler_core::ended(sequence number, const attempt_end& how, steady_time now, wall_time wall) {
    const auto found = events_.find(number);
    LINKRUNNER_INVARIANT(found != events_.end() && found->second.where == place::in_flight);
    held_event& event = found->second;
    const flight attempt = event.attempt;
    release(event);
    advance(now, wall);
    const outcome what = classify(how);
    const bool ambiguous = is_ambiguous(how);
    stale_ = how.status == 0 ? stale_ : 0;
    event.ambiguous = event.ambiguous || ambiguous;
    event.sent += what == outcome::throttled ? 0 : 1;
    learn(attempt, what, how, now, wall);
    const bool forgotten = event.forgotten;
    verdict out;
    switch (what) {
    case outcome::delivered:
        return delivered(event, now);
    case outcome::rejected:
        out = rejected(event, how, now);
        break;
    case outcome::unauthorized:
    case outcome::suspended:
    case outcome::misconfigured:
        out = refused(event, what, how, now);
        break;
    case outcome::throttled:
        out = retry(event, std::nullopt); // no attempt of its own: the whole upstream pauses
        break;
    case outcome::transient:
        out = failed(event, how, now, wall);
        break;
    }
    if (forgotten && out.kind == verdict_kind::retry && events_.contains(number)) {
        remove(number);
    }
    return out;
}

void scheduler_core::release(held_event& event) {
    --in_flight_;
    --lanes_[event.what.lane].in_flight;
    if (event.attempt.hold_probe && event.attempt.key == key_) {
        hold_of(event).probe_ended();
    }
}

// What the attempt says about the upstream as a whole, whatever becomes of the event.
void scheduler_core::learn(const flight& attempt, outcome what, const attempt_end& how, steady_time now,
                           wall_time wall) {
    if (attempt.along) {
        return; // the first event of the request has told it
    }
    const adaptive_rate::attempt sent{attempt.began, attempt.gap, attempt.throttle_probe, attempt.waited};
    if (what == outcome::throttled) {
        rate_.throttled(sent, now);
    } else if (what == outcome::delivered) {
        rate_.succeeded(sent);
    }
    const bool pauses =
        what == outcome::throttled || (how.status == 503 && retry_after(how, wall).has_value());
    if (pauses) {
        throttle_.asked(attempt.began, attempt.throttle_probe, wait_asked_for(how, wall), now, random_(),
                        words_for_pause(how));
    } else if (attempt.throttle_probe) {
        throttle_.probe_answered();
    }
    if (attempt.breaker_probe && what != outcome::transient && what != outcome::delivered) {
        breaker_.probe_inconclusive();
    }
    const rate_hint hint = rate_hint_of(how, wall);
    rate_.heed(hint, now);
    if (options_.adaptive && !pauses && hint.remaining == 0 && hint.reset > nanoseconds(0)) {
        throttle_.asked(attempt.began, false, hint.reset, now, 0, "the API says that no requests remain");
    }
    bucket_.set_rate(rate_.pace(now), now);
}

verdict scheduler_core::delivered(held_event& event, steady_time now) {
    speed_.ended(now);
    if (!event.attempt.along) {
        request_limit_ = std::min(options_.events_per_request, request_limit_ + request_limit_ / 8 + 1);
    }
    const breaker::judgement failures = breaker_.succeeded(event.what.user_key, event.attempt.began, now);
    const hold::judgement refusals = hold_of(event).succeeded(event.what.number, event.attempt.began);
    verdict out;
    out.kind = verdict_kind::delivered;
    out.attempts = event.sent;
    out.first_attempt = event.first_attempt;
    out.ambiguous = event.ambiguous;
    remove(event.what.number);
    for (const sequence number : failures.counted) {
        count_failure(number);
    }
    for (const sequence number : failures.suspected) {
        if (const auto found = events_.find(number); found != events_.end()) {
            found->second.suspected = true;
        }
    }
    for (const sequence number : refusals.counted) {
        count_failure(number);
    }
    if (refusals.suspected && events_.contains(*refusals.suspected)) {
        ++events_.at(*refusals.suspected).counted;
    }
    return out;
}

// A failure is the event's own. One that is under way again is judged when that attempt ends.
void scheduler_core::count_failure(sequence number) {
    const auto found = events_.find(number);
    if (found == events_.end()) {
        return;
    }
    held_event& event = found->second;
    ++event.counted;
    event.suspected = true;
    if (event.counted < options_.max_attempts || event.forgotten) {
        return;
    }
    if (event.where == place::in_flight) {
        event.condemned = true;
    } else {
        dismiss(event, "attempts");
    }
}

verdict scheduler_core::rejected(held_event& event, const attempt_end& how, steady_time now) {
    if (event.what.path == endpoint::remove_payment && how.status == 400) {
        return nothing_to_remove(event, now);
    }
    const hold::refusal what{hold_kind::rejecting, event.what.number, event.what.user_key, how.status};
    if (hold_of(event).rejected(what, now)) {
        return retry(event, std::nullopt);
    }
    return dead(event, "rejected", now);
}

// "No payment found": no fault of the path, so it counts for no hold. The payment may still be waiting here
// (replayed, or ordering: none): then the removal waits for it. After an attempt that may have been carried
// out it is what a second removal is answered.
verdict scheduler_core::nothing_to_remove(held_event& event, steady_time now) {
    if (lanes_[event.what.lane].payments.payer_before(event.what.payment_key, event.what.number)) {
        ++event.failures;
        return retry(event, now + backoff_.full_jitter(event.failures, random_()));
    }
    if (!event.ambiguous) {
        return dead(event, "rejected", now);
    }
    verdict out = dead(event, "", now);
    out.kind = verdict_kind::delivered;
    return out;
}

verdict scheduler_core::refused(held_event& event, outcome what, const attempt_end& how, steady_time now) {
    hold& path = hold_of(event);
    if (event.attempt.key != key_ && what != outcome::misconfigured) {
        return retry(event, std::nullopt); // the answer to a key that is no longer used
    }
    ++event.failures;
    const bool alone = event.refused_at && *event.refused_at <= path.succeeded_from();
    event.refused_at = now;
    if (!alone) {
        path.refused({hold_for(what), event.what.number, event.what.user_key, how.status}, now);
        return retry(event, std::nullopt);
    }
    path.refused_alone(event.what.number, now);
    if (event.condemned) {
        return dead(event, "attempts", now);
    }
    return retry(event, now + backoff_.full_jitter(event.failures, random_()));
}

verdict scheduler_core::failed(held_event& event, const attempt_end& how, steady_time now, wall_time wall) {
    const bool ambiguous_end = is_ambiguous(how) && event.what.ambiguous_dead;
    const bool forgivable = !event.stale && !event.attempt.breaker_probe && stale_ < options_.max_in_flight;
    if (how.stale && forgivable && !ambiguous_end) {
        event.stale = true;
        ++stale_;
        return retry(event, std::nullopt); // a connection's end, no failure of anything: once more, at once
    }
    event.stale = false;
    ++event.failures;
    if (event.failed_at != breaker_.successes()) {
        event.failed_at = breaker_.successes();
        event.suspected = ++event.failed_spans >= spans_that_make_suspect || event.suspected;
    }
    breaker_.failed({event.what.number, event.what.user_key, event.suspected, event.attempt.breaker_probe,
                     event.attempt.hold_probe, event.attempt.began},
                    now, random_());
    if (ambiguous_end) {
        return dead(event, "ambiguous", now);
    }
    if (event.condemned) {
        return dead(event, "attempts", now);
    }
    const nanoseconds floor =
        std::min<nanoseconds>(retry_after(how, wall).value_or(nanoseconds(0)), options_.retry_after_max);
    const backoff& by = breaker_.open() && !event.suspected ? outage_backoff_ : backoff_;
    return retry(event, now + by.full_jitter(event.failures, random_(), floor));
}

verdict scheduler_core::dead(held_event& event, const char* reason, steady_time now) {
    speed_.ended(now);
    verdict out = death_of(event, reason);
    remove(event.what.number);
    return out;
}

verdict scheduler_core::retry(held_event& event, std::optional<steady_time> until) {
    verdict out;
    out.kind = verdict_kind::retry;
    out.attempts = event.sent;
    out.ambiguous = event.ambiguous;
    out.retry_at = until;
    if (step_back(event)) {
        return out;
    }
    if (until) {
        rest(event, *until);
    } else {
        make_ready(event);
    }
    return out;
}

void scheduler_core::not_sent(sequence number, steady_time now) {
    const auto found = events_.find(number);
    LINKRUNNER_INVARIANT(found != events_.end() && found->second.where == place::in_flight);
    held_event& event = found->second;
    release(event);
    if (event.attempt.throttle_probe) {
        throttle_.probe_not_sent();
    }
    if (event.attempt.breaker_probe) {
        breaker_.probe_inconclusive();
    }
    if (event.forgotten) {
        remove(number);
    } else if (!step_back(event)) {
        rest(event, now + rest_of_unsent);
    }
}

void scheduler_core::refused_together(const std::vector<sequence>& numbers) {
    request_limit_ = std::max<std::size_t>(numbers.size() / 2, 1);
    for (const sequence number : numbers) {
        held_event& event = events_.at(number);
        LINKRUNNER_INVARIANT(event.where == place::in_flight && !event.attempt.probe());
        release(event);
        if (event.forgotten) {
            remove(number);
        } else if (!step_back(event)) {
            make_ready(event);
        }
    }
}

void scheduler_core::probe_holds(steady_time now) {
    for (hold& one : holds_) {
        one.probe_at(now);
    }
}

void scheduler_core::key_changed(steady_time now) {
    ++key_;
    for (hold& one : holds_) {
        one.key_changed(now);
    }
}

} // namespace linkrunner::delivery
