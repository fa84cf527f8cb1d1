#include "delivery/forecast.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

std::int64_t second_of(steady_time now) {
    return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}

} // namespace

std::optional<std::chrono::milliseconds> forecast_wait(std::size_t lane,
                                                       const std::vector<std::uint64_t>& pending,
                                                       const std::vector<unsigned>& weights,
                                                       double events_per_second) {
    if (!(events_per_second > 0) || lane >= weights.size()) {
        return std::nullopt;
    }
    std::vector<double> left(weights.size(), 0);
    for (std::size_t i = 0; i < std::min(left.size(), pending.size()); ++i) {
        left[i] = static_cast<double>(pending[i]);
    }
    double waited = 0;
    for (std::size_t round = 0; round < left.size() && left[lane] > 0; ++round) {
        double weight = 0;
        for (std::size_t i = 0; i < left.size(); ++i) {
            weight += left[i] > 0 ? weights[i] : 0;
        }
        double span = left[lane] * weight / (weights[lane] * events_per_second);
        for (std::size_t i = 0; i < left.size(); ++i) {
            if (left[i] > 0) {
                span = std::min(span, left[i] * weight / (weights[i] * events_per_second));
            }
        }
        for (std::size_t i = 0; i < left.size(); ++i) {
            const double served = span * events_per_second * weights[i] / weight;
            left[i] = left[i] > served * (1 + 1e-9) ? left[i] - served : 0;
        }
        waited += span;
    }
    constexpr double longest_seconds = 1e12;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(waited, longest_seconds) * 1000));
}

speed_meter::second& speed_meter::at(steady_time now) {
    const std::int64_t number = second_of(now);
    begun_ = begun_.value_or(number);
    second& slot = ring_.at(static_cast<std::size_t>(number) % ring_.size());
    if (slot.number != number) {
        slot = {number, 0};
    }
    return slot;
}

void speed_meter::starved(steady_time now) {
    begun_ = second_of(now);
}

std::optional<double> speed_meter::per_second(steady_time now) const {
    constexpr std::int64_t least_seconds = 3;
    const std::int64_t current = second_of(now);
    const auto longest = static_cast<std::int64_t>(ring_.size()) - 1;
    const std::int64_t seconds = std::min(current - begun_.value_or(current) - 1, longest);
    if (seconds < least_seconds) {
        return std::nullopt;
    }
    std::uint64_t ended = 0;
    for (const second& one : ring_) {
        ended += one.number >= current - seconds && one.number < current ? one.ended : 0;
    }
    return static_cast<double>(ended) / static_cast<double>(seconds);
}

} // namespace linkrunner::delivery
