#include "delivery/adaptive_rate.hpp"

#include <gtest/gtest.h>

namespace linkrunner::delivery {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1000s};

rate_hint hint(std::uint64_t remaining, nanoseconds reset) {
    rate_hint out;
    out.remaining = remaining;
    out.reset = reset;
    return out;
}

TEST(adaptive_rate, is_lowered_by_a_factor_once_for_all_that_was_under_way) {
    adaptive_rate rate(100, true, {});
    rate.throttled(start, start + 100ms);
    EXPECT_DOUBLE_EQ(rate.rate(start + 100ms), 70);
    rate.throttled(start + 50ms, start + 120ms);
    rate.throttled(start + 100ms, start + 130ms);
    EXPECT_DOUBLE_EQ(rate.rate(start + 130ms), 70);
    rate.throttled(start + 101ms, start + 200ms);
    EXPECT_DOUBLE_EQ(rate.rate(start + 200ms), 49);
}

TEST(adaptive_rate, has_a_floor) {
    adaptive_rate rate(100, true, {});
    for (int i = 0; i < 100; ++i) {
        rate.throttled(start + i * 1s, start + i * 1s + 1ms);
    }
    EXPECT_DOUBLE_EQ(rate.rate(start + 100s), 1);
}

TEST(adaptive_rate, recovers_by_a_hundredth_of_the_ceiling_a_second_of_sending_at_any_rate) {
    for (const double ceiling : {10.0, 29.0, 1000.0}) {
        adaptive_rate rate(ceiling, true, {});
        rate.throttled(start, start);
        steady_time now = start;
        while (now < start + 10s) {
            now += std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / rate.rate(now)));
            rate.succeeded(now);
        }
        EXPECT_NEAR(rate.rate(now), ceiling * 0.8, ceiling * 0.02);
        for (int i = 0; i < 100; ++i) {
            rate.succeeded(now += 1s);
        }
        EXPECT_DOUBLE_EQ(rate.rate(now), ceiling);
    }
}

TEST(adaptive_rate, earns_nothing_by_a_pause) {
    adaptive_rate rate(100, true, {});
    rate.throttled(start, start);
    rate.succeeded(start + 10h);
    EXPECT_NEAR(rate.rate(start + 10h), 71, 0.001);
}

TEST(adaptive_rate, is_never_above_the_ceiling) {
    adaptive_rate rate(100, true, {});
    for (int i = 0; i < 1000; ++i) {
        rate.succeeded(start + i * 1s);
    }
    rate.heed(hint(1'000'000, 2s), start);
    EXPECT_DOUBLE_EQ(rate.rate(start), 100);
}

TEST(adaptive_rate, spreads_what_remains_until_the_reset) {
    adaptive_rate rate(100, true, {});
    rate.heed(hint(50, 11s), start);
    EXPECT_DOUBLE_EQ(rate.rate(start), 5);
    EXPECT_DOUBLE_EQ(rate.rate(start + 11s), 100);
    rate.heed(hint(500, 11s), start + 1s); // a newer word replaces the older
    EXPECT_DOUBLE_EQ(rate.rate(start + 1s), 50);
    rate.heed({}, start + 2s); // an answer that says nothing does not
    EXPECT_DOUBLE_EQ(rate.rate(start + 2s), 50);
}

TEST(adaptive_rate, is_not_fooled_by_resets_of_a_second) {
    // Within windows of a second, what remains falls from 30 to 1 at 29/s: spreading it would halve the rate.
    adaptive_rate rate(29, true, {});
    rate.heed(hint(3, 1s), start);
    EXPECT_DOUBLE_EQ(rate.rate(start), 29);
}

TEST(adaptive_rate, keeps_to_the_sustained_rate_that_a_limit_names) {
    adaptive_rate rate(100, true, {});
    rate_hint said;
    said.sustained = 20;
    rate.heed(said, start);
    EXPECT_DOUBLE_EQ(rate.rate(start), 20);
    EXPECT_DOUBLE_EQ(rate.rate(start + 60s), 100);
}

TEST(adaptive_rate, stays_at_the_ceiling_where_it_is_not_to_adapt) {
    adaptive_rate rate(100, false, {});
    rate.throttled(start, start);
    rate.heed(hint(1, 100s), start);
    EXPECT_DOUBLE_EQ(rate.rate(start), 100);
}

} // namespace
} // namespace linkrunner::delivery
