#include "delivery/breaker.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::delivery {

breaker::breaker(rules by, std::size_t max_in_flight)
    : by_(by), gaps_(by.first_gap, by.longest_gap), max_in_flight_(max_in_flight), limit_(max_in_flight) {}

bool breaker::failed(const failed_attempt& what, steady_time now, double random) {
    ++in_a_row_;
    if (limit_ < max_in_flight_) {
        limit_ = std::max<std::size_t>(limit_ / 2, 1);
    }
    if (what.suspected && unsuspected_ == 0) {
        return true;
    }
    if (!open_ || few()) {
        failed_.insert(what.number);
    }
    if (!what.suspected) {
        if (unsuspected_++ == 0) {
            first_unsuspected_ = now;
        }
        if (few()) {
            users_.insert(what.user_key);
        }
    }
    if (open_) {
        if (what.probe) {
            probing_ = false;
            open(now, random);
        }
        return false;
    }
    const bool long_enough = unsuspected_ >= by_.failures_in_time && now - first_unsuspected_ >= by_.time;
    if (unsuspected_ >= by_.failures || long_enough) {
        open(now, random);
    }
    return false;
}

void breaker::open(steady_time now, double random) {
    open_ = true;
    ++probes_failed_;
    next_probe_ = now + gaps_.half_jitter(probes_failed_, random);
}

breaker::judgement breaker::succeeded(std::uint64_t user_key) {
    judgement out;
    ++successes_;
    const std::set<sequence> failed = std::exchange(failed_, {});
    if (!open_) {
        out.counted.assign(failed.begin(), failed.end());
    } else if (few() && !users_.contains(user_key)) {
        out.suspected.assign(failed.begin(), failed.end());
    }
    if (open_) {
        open_ = false;
        probing_ = false;
        probes_failed_ = 0;
        limit_ = 1;
    }
    limit_ = std::min(limit_ + 1, max_in_flight_);
    in_a_row_ = 0;
    unsuspected_ = 0;
    users_.clear();
    return out;
}

gate breaker::at(steady_time now) const {
    if (!open_) {
        return gate::open;
    }
    return now < next_probe_ || probing_ ? gate::closed : gate::probe;
}

} // namespace linkrunner::delivery
