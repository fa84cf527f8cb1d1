#include "delivery/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace linkrunner::delivery {

namespace {

constexpr std::uint64_t one_token = 1'000'000'000'000'000; // in units
constexpr double highest_rate = 1e9;
constexpr double largest_burst = 1e9;

std::uint64_t micro_rate_of(double rate_per_second) {
    return static_cast<std::uint64_t>(std::floor(std::clamp(rate_per_second, 1e-6, highest_rate) * 1e6));
}

} // namespace

token_bucket::token_bucket(double rate_per_second, double burst, steady_time now)
    : micro_rate_(micro_rate_of(rate_per_second)), capacity_(capacity_of(burst)), level_(0), settled_(now) {}

token_bucket::units token_bucket::capacity_of(double burst) {
    return static_cast<units>(std::clamp(burst, 1.0, largest_burst) * 1e6) * (one_token / 1'000'000);
}

void token_bucket::set_burst(double burst, steady_time now) {
    settle(now);
    capacity_ = capacity_of(burst);
    level_ = std::min(level_, capacity_);
}

token_bucket::units token_bucket::level_at(steady_time now) const {
    if (now <= settled_) {
        return level_;
    }
    const auto elapsed = static_cast<std::uint64_t>(nanoseconds(now - settled_).count());
    return std::min(capacity_, level_ + static_cast<units>(elapsed) * micro_rate_);
}

void token_bucket::settle(steady_time now) {
    level_ = level_at(now);
    settled_ = std::max(settled_, now);
}

void token_bucket::set_rate(double rate_per_second, steady_time now) {
    settle(now);
    micro_rate_ = micro_rate_of(rate_per_second);
}

bool token_bucket::take(steady_time now) {
    settle(now);
    if (level_ < one_token) {
        return false;
    }
    level_ -= one_token;
    return true;
}

steady_time token_bucket::ready_at(steady_time now) const {
    const units level = level_at(now);
    if (level >= one_token) {
        return now;
    }
    const units missing = one_token - level;
    const units wait = (missing + micro_rate_ - 1) / micro_rate_;
    return std::max(settled_, now) + nanoseconds(static_cast<std::int64_t>(wait));
}

} // namespace linkrunner::delivery
