#include "delivery/throttle.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::delivery {

void throttle::asked(steady_time began, bool was_probe, std::optional<nanoseconds> wait, steady_time now,
                     double random, std::string reason) {
    if (was_probe) {
        probing_ = false;
    }
    if (active_ && !was_probe && began <= asked_) {
        if (wait) {
            until_ = std::max(until_, now + std::min(*wait, longest_));
        }
        return;
    }
    if (!wait) {
        ++without_time_;
    }
    const steady_time end =
        now + (wait ? std::min(*wait, longest_) : backoff_.full_jitter(without_time_, random));
    until_ = active_ ? std::max(until_, end) : end;
    active_ = true;
    asked_ = now;
    reason_ = std::move(reason);
}

gate throttle::at(steady_time now) const {
    if (!active_) {
        return gate::open;
    }
    return now < until_ || probing_ ? gate::closed : gate::probe;
}

} // namespace linkrunner::delivery
