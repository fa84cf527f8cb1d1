// The last hour, for the live page: a point every 10 s, 360 of them, in a ring of fixed size (less than
// 70 KB, with the sketches of the last minute). Lost with the process. Lives on the loop's thread.
// docs/status.md and config/history.schema.json describe the document that json() makes.
#pragma once

#include "env/clock.hpp"
#include "spool/record.hpp"
#include "telemetry/age_sketch.hpp"
#include "telemetry/metrics.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::control {

// How things stand at one moment; to be taken every second.
struct sample {
    steady_time at{};
    wall_time wall{};
    telemetry::metrics::totals sums;
    double rate_limit = 0;         // requests per second
    double oldest_pending_age = 0; // seconds
    std::string_view state;        // a word of constant life
    std::array<std::uint64_t, spool::max_lanes> pending{};
};

class history {
  public:
    static constexpr std::chrono::seconds interval{10};
    static constexpr std::size_t capacity = 360;

    explicit history(std::vector<std::string> lanes) : lanes_(std::move(lanes)) {}

    // `ages` is asked for those since the last point when one is due.
    template <class Ages>
    void add(const sample& now, Ages&& ages) {
        remember(now);
        if (now.at - point_began_.at >= interval) {
            close_point(now, ages());
        }
    }

    // Over the last seconds, as far as they are known.
    struct recent {
        double seconds = 0;
        double accepted = 0, delivered = 0, attempts = 0; // per second
        telemetry::age_sketch ages;                       // at delivery, of the last minute
    };
    recent last() const;

    // The points, oldest first, as columns.
    std::string json() const;

  private:
    struct point {
        std::int64_t at = 0; // Unix time of its end, seconds
        float accepted = 0, delivered = 0, refused = 0, dead = 0, attempts = 0, throttled = 0; // per second
        float rate_limit = 0;
        float p50 = 0, p95 = 0, p99 = 0; // negative: nothing was delivered
        float oldest = 0;
        std::string_view state;
        std::array<std::uint32_t, spool::max_lanes> pending{};
    };

    void remember(const sample& now);
    void close_point(const sample& now, const telemetry::age_sketch& ages);
    const point& nth(std::size_t index) const { return points_[(first_ + index) % capacity]; }
    template <class Member>
    void column(std::string& out, const char* name, Member member, int digits) const;

    std::vector<std::string> lanes_;
    std::array<point, capacity> points_{};
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    sample point_began_;                                 // the present point
    std::array<sample, interval.count() + 1> seconds_{}; // the last ones
    std::size_t seconds_known_ = 0;
    std::array<telemetry::age_sketch, 6> minute_{};
    std::size_t next_sketch_ = 0;
};

} // namespace linkrunner::control
