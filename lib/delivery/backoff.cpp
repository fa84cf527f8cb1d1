#include "delivery/backoff.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

nanoseconds part_of(nanoseconds whole, double fraction) {
    return nanoseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * fraction));
}

} // namespace

backoff::backoff(std::chrono::milliseconds initial, std::chrono::milliseconds max)
    : initial_(std::max(initial, std::chrono::milliseconds(1))), max_(std::max(nanoseconds(max), initial_)) {}

nanoseconds backoff::ceiling(std::uint32_t failures) const {
    nanoseconds out = initial_;
    for (std::uint32_t step = 1; step < failures && out < max_; ++step) {
        out = out > max_ / 2 ? max_ : out * 2;
    }
    return std::min(out, max_);
}

nanoseconds backoff::full_jitter(std::uint32_t failures, double random, nanoseconds floor) const {
    return std::max(floor, part_of(ceiling(failures), random));
}

nanoseconds backoff::half_jitter(std::uint32_t failures, double random) const {
    return part_of(ceiling(failures), 0.5 + random / 2);
}

} // namespace linkrunner::delivery
