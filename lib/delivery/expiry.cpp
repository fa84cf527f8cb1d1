#include "delivery/expiry.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds largest_jump = std::chrono::minutes(10);
constexpr std::size_t most_spans = 128;

} // namespace

void stopped_spans::set(bool stopped, wall_time now) {
    if (stopped == begun_.has_value()) {
        return;
    }
    if (stopped) {
        begun_ = now;
        return;
    }
    if (now > *begun_) {
        spans_.push_back({*begun_, now});
    }
    begun_.reset();
    if (spans_.size() > most_spans) {
        spans_[1].begin = spans_[0].begin;
        spans_.erase(spans_.begin());
    }
}

milliseconds stopped_spans::since(wall_time from, wall_time now) const {
    milliseconds sum{0};
    if (begun_ && now > *begun_) {
        sum += now - std::max(*begun_, std::min(from, now));
    }
    for (auto one = spans_.rbegin(); one != spans_.rend() && one->end > from; ++one) {
        sum += one->end - std::max(one->begin, from);
    }
    return sum;
}

void expiry::observe(steady_time now, wall_time wall) {
    const milliseconds offset =
        wall.time_since_epoch() - std::chrono::floor<milliseconds>(now.time_since_epoch());
    if (!offset_) {
        offset_ = offset;
    }
    jump_ = offset - *offset_;
    jumped_ = jump_ > largest_jump || jump_ < -largest_jump;
    if (!jumped_) {
        offset_ = offset; // small corrections are the clock being kept right
    }
    behind_ = wall < newest_;
}

void expiry::set_stopped(endpoint path, bool stopped, wall_time now) {
    stops_.at(static_cast<std::size_t>(path)).set(stopped, now);
}

bool expiry::expired(endpoint path, wall_time accepted_at, std::optional<milliseconds> own,
                     wall_time wall) const {
    const milliseconds max_age = own.value_or(max_age_);
    if (max_age == age_off || suspended()) {
        return false;
    }
    const milliseconds stopped = stops_.at(static_cast<std::size_t>(path)).since(accepted_at, wall);
    return wall - accepted_at - stopped > max_age;
}

std::string expiry::note() const {
    if (!suspended()) {
        return {};
    }
    if (jumped_) {
        const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(jump_).count();
        return "max_age is suspended: the wall clock jumped by " + std::to_string(minutes) +
               " minutes; it goes on when the clock is back, or after a restart";
    }
    return "max_age is suspended: the wall clock stands behind the newest event";
}

} // namespace linkrunner::delivery
