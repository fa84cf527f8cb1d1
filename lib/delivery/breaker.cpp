#include "delivery/breaker.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::delivery {

breaker::breaker(rules by, std::size_t max_in_flight)
    : by_(by), gaps_(by.first_gap, by.longest_gap), max_in_flight_(max_in_flight), limit_(max_in_flight) {}

void breaker::failed(const failed_attempt& what, steady_time now, double random) {
    if (!open_ && what.began < recovered_) {
        return; // the outage's
    }
    if (in_a_row_++ == 0) {
        first_in_a_row_ = now;
    }
    if (limit_ < max_in_flight_) {
        limit_ = std::max<std::size_t>(limit_ / 2, 1);
    }
    if (!what.path_held && (!open_ || few())) {
        failed_.emplace(what.number, now);
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
        return;
    }
    if (is_outage(now)) {
        open(now, random);
    }
}

bool breaker::is_outage(steady_time now) const {
    return unsuspected_ >= by_.failures ||
           (unsuspected_ >= by_.failures_in_time && now - first_unsuspected_ >= by_.time) ||
           (in_a_row_ >= by_.failures_of_suspects && now - first_in_a_row_ >= by_.time_of_suspects);
}

void breaker::open(steady_time now, double random) {
    opened_ = open_ ? opened_ : now;
    open_ = true;
    ++probes_failed_;
    next_probe_ = now + gaps_.half_jitter(probes_failed_, random);
}

breaker::judgement breaker::succeeded(std::uint64_t user_key, steady_time began, steady_time now) {
    judgement out;
    if (open_ && began < opened_) {
        return out; // from before the outage: no sign that it is over
    }
    if (successes_++ == 0 && !open_) {
        failed_.clear(); // the daemon may have been started in the middle of an outage
    }
    if (std::exchange(open_, false)) {
        const bool another = few() && !users_.contains(user_key);
        if (unsuspected_ > 0) {
            for (const auto& [number, when] : std::exchange(failed_, {})) {
                if (another) {
                    out.suspected.push_back(number);
                }
            }
        }
        probing_ = false;
        probes_failed_ = 0;
        limit_ = 1;
        recovered_ = now;
    }
    judge(began, out);
    limit_ = std::min(limit_ + 1, max_in_flight_);
    in_a_row_ = 0;
    unsuspected_ = 0;
    users_.clear();
    return out;
}

void breaker::judge(steady_time began, judgement& into) {
    std::erase_if(failed_, [&](const auto& one) {
        const bool before = one.second <= began;
        if (before) {
            into.counted.push_back(one.first);
        }
        return before;
    });
}

gate breaker::at(steady_time now) const {
    if (!open_) {
        return gate::open;
    }
    return now < next_probe_ || probing_ ? gate::closed : gate::probe;
}

} // namespace linkrunner::delivery
