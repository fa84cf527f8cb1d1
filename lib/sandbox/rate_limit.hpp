// The rate limits that an API may keep, in three kinds. Pure: time comes as an argument.
#pragma once

#include "env/clock.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

namespace linkrunner::sandbox {

enum class rate_kind : std::uint8_t {
    bucket, // a token bucket of `burst` tokens, filled continuously
    window, // at most rate × 1 s in each whole second of steady time
    sliding // at most rate × 1 s in any second that ends now
};

std::optional<rate_kind> rate_kind_from(std::string_view word) noexcept;

struct rate_settings {
    double per_second = 0; // 0: no limit
    double burst = 1;      // of the bucket
    rate_kind kind = rate_kind::bucket;
};

class rate_limit {
  public:
    explicit rate_limit(const rate_settings& options);

    // Nothing when the request may pass; else how long until one would. A refused request costs nothing.
    std::optional<std::chrono::nanoseconds> refuse(steady_time now);

  private:
    std::optional<std::chrono::nanoseconds> refuse_bucket(steady_time now);
    std::optional<std::chrono::nanoseconds> refuse_window(steady_time now);
    std::optional<std::chrono::nanoseconds> refuse_sliding(steady_time now);

    rate_settings options_;
    double tokens_;
    std::optional<steady_time> filled_;
    std::int64_t window_ = -1;
    double used_ = 0;
    std::deque<steady_time> passed_;
};

// The most requests that arrived within any second: what a client is measured by.
class peak_meter {
  public:
    void note(steady_time now);
    std::uint64_t most_in_a_second() const { return most_; }

  private:
    std::deque<steady_time> recent_;
    std::uint64_t most_ = 0;
};

} // namespace linkrunner::sandbox
