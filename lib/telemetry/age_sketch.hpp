// Durations counted in buckets as wide as a sixteenth of a power of two of microseconds, so that a percentile
// is right within 3.2%, whatever its size (the layout of HdrHistogram, with 4 bits of a value kept). Fixed
// memory, 2.5 KB; durations over 50 days count as that. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace linkrunner::telemetry {

class age_sketch {
  public:
    void add(std::chrono::nanoseconds age) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(age).count();
        ++counts_[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)))];
        ++total_;
    }

    void merge(const age_sketch& other) {
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            counts_[i] += other.counts_[i];
        }
        total_ += other.total_;
    }

    std::uint64_t count() const { return total_; }

    // The duration in seconds that this share of all (0 to 1) does not exceed; nothing without any.
    std::optional<double> percentile(double share) const {
        const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen > rank || (seen == total_ && total_ > 0)) {
                return middle_of(i);
            }
        }
        return std::nullopt;
    }

  private:
    static constexpr unsigned kept_bits = 4;
    static constexpr std::uint64_t per_power = 1U << kept_bits;
    static constexpr unsigned widest = 42; // bits of the longest duration in microseconds
    static constexpr std::size_t buckets = (widest - kept_bits - 1) * per_power + 2 * per_power;

    static std::size_t bucket_of(std::uint64_t us) {
        const std::uint64_t value = std::min(us, (std::uint64_t{1} << widest) - 1);
        if (value < per_power) {
            return static_cast<std::size_t>(value);
        }
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kept_bits - 1;
        return static_cast<std::size_t>(shift * per_power + (value >> shift));
    }

    static double middle_of(std::size_t bucket) {
        const std::size_t shift = bucket < 2 * per_power ? 0 : bucket / per_power - 1;
        const auto lower = static_cast<double>((bucket - shift * per_power) << shift);
        return (lower + static_cast<double>(std::size_t{1} << shift) / 2) / 1e6;
    }

    std::array<std::uint32_t, buckets> counts_{};
    std::uint64_t total_ = 0;
};

} // namespace linkrunner::telemetry
