#include "sandbox/rate_limit.hpp"

#include <algorithm>

namespace linkrunner::sandbox {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds second = std::chrono::seconds(1);

} // namespace

std::optional<rate_kind> rate_kind_from(std::string_view word) noexcept {
    if (word == "bucket") {
        return rate_kind::bucket;
    }
    if (word == "window") {
        return rate_kind::window;
    }
    if (word == "sliding") {
        return rate_kind::sliding;
    }
    return std::nullopt;
}

rate_limit::rate_limit(const rate_settings& options)
    : options_(options), tokens_(std::max(1.0, options.burst)) {
    options_.burst = tokens_;
}

std::optional<nanoseconds> rate_limit::refuse(steady_time now) {
    if (options_.per_second <= 0) {
        return std::nullopt;
    }
    switch (options_.kind) {
    case rate_kind::bucket:
        return refuse_bucket(now);
    case rate_kind::window:
        return refuse_window(now);
    case rate_kind::sliding:
        return refuse_sliding(now);
    }
    return std::nullopt;
}

std::optional<nanoseconds> rate_limit::refuse_bucket(steady_time now) {
    if (filled_) {
        const double seconds = std::chrono::duration<double>(now - *filled_).count();
        tokens_ = std::min(options_.burst, tokens_ + seconds * options_.per_second);
    }
    filled_ = now;
    constexpr double rounding =
        1e-6; // of a token: sums of fractions must not refuse a client that is on time
    if (tokens_ >= 1 - rounding) {
        tokens_ -= 1;
        return std::nullopt;
    }
    return std::chrono::ceil<nanoseconds>(std::chrono::duration<double>((1 - tokens_) / options_.per_second));
}

std::optional<nanoseconds> rate_limit::refuse_window(steady_time now) {
    const std::int64_t window = now.time_since_epoch() / second;
    if (window != window_) {
        window_ = window;
        used_ = 0;
    }
    if (used_ + 1 <= std::max(1.0, options_.per_second)) {
        used_ += 1;
        return std::nullopt;
    }
    return nanoseconds((window + 1) * second) - now.time_since_epoch();
}

std::optional<nanoseconds> rate_limit::refuse_sliding(steady_time now) {
    while (!passed_.empty() && now - passed_.front() >= second) {
        passed_.pop_front();
    }
    if (static_cast<double>(passed_.size()) + 1 <= std::max(1.0, options_.per_second)) {
        passed_.push_back(now);
        return std::nullopt;
    }
    return second - (now - passed_.front());
}

void peak_meter::note(steady_time now) {
    while (!recent_.empty() && now - recent_.front() >= second) {
        recent_.pop_front();
    }
    recent_.push_back(now);
    most_ = std::max<std::uint64_t>(most_, recent_.size());
}

} // namespace linkrunner::sandbox
