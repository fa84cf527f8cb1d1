#include "delivery/breaker.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::delivery {

breaker::breaker(rules by, std::size_t max_in_flight)
    : by_(by), gaps_(by.first_gap, by.longest_gap), max_in_flight_(max_in_flight), limit_(max_in_flight) {}

std::vector<sequence> breaker::failed(const failed_attempt& what, steady_time now, double random) {
    ++in_a_row_;
    if (open_) {
        if (what.probe) {
            probing_ = false;
            ++probes_failed_;
            schedule(now, random);
        }
        return {};
    }
    limit_ = std::max<std::size_t>(limit_ < max_in_flight_ ? limit_ / 2 : limit_, 1);
    if (provisional_.empty()) {
        first_failure_ = now;
    }
    provisional_.push_back(what);
    const bool many = provisional_.size() >= by_.failures;
    const bool long_enough = provisional_.size() >= by_.failures_in_time && now - first_failure_ >= by_.time;
    if (!many && !long_enough) {
        return {};
    }
    open_ = true;
    probes_failed_ = 1;
    schedule(now, random);
    return recognise();
}

std::vector<sequence> breaker::recognise() {
    std::vector<sequence> confirmed;
    const std::uint64_t user = provisional_.front().user_key;
    if (std::ranges::all_of(provisional_, [&](const failed_attempt& one) { return one.user_key == user; })) {
        for (const failed_attempt& one : provisional_) {
            if (one.again) {
                confirmed.push_back(one.number);
            }
        }
    }
    provisional_.clear();
    return confirmed;
}

std::vector<sequence> breaker::succeeded() {
    ++successes_;
    in_a_row_ = 0;
    if (open_) {
        open_ = false;
        probing_ = false;
        limit_ = 1;
    }
    limit_ = std::min(limit_ + 1, max_in_flight_);
    std::vector<sequence> confirmed;
    for (const failed_attempt& one : std::exchange(provisional_, {})) {
        confirmed.push_back(one.number);
    }
    return confirmed;
}

void breaker::schedule(steady_time now, double random) {
    next_probe_ = now + gaps_.half_jitter(probes_failed_, random);
}

gate breaker::at(steady_time now) const {
    if (!open_) {
        return gate::open;
    }
    return now < next_probe_ || probing_ ? gate::closed : gate::probe;
}

} // namespace linkrunner::delivery
