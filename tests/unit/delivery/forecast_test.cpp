#include "delivery/forecast.hpp"

#include <gtest/gtest.h>

namespace linkrunner::delivery {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1000s};

TEST(forecast_wait, shares_the_speed_by_weight_and_passes_on_what_an_empty_lane_leaves) {
    const std::vector<unsigned> weights = {8, 1};
    EXPECT_EQ(forecast_wait(0, {0, 1'000'000}, weights, 30), 0ms);
    EXPECT_EQ(forecast_wait(1, {0, 300}, weights, 30), 10s);
    EXPECT_NEAR(static_cast<double>(forecast_wait(0, {240, 1'000'000}, weights, 30)->count()), 9'000, 1);
    EXPECT_NEAR(static_cast<double>(forecast_wait(1, {240, 270}, weights, 30)->count()), 17'000, 1);
    EXPECT_NEAR(static_cast<double>(forecast_wait(1, {1'000'000, 30}, weights, 30)->count()), 9'000, 1);
}

TEST(forecast_wait, says_nothing_without_speed_and_survives_absurd_backlogs) {
    EXPECT_FALSE(forecast_wait(0, {5}, {1}, 0));
    EXPECT_FALSE(forecast_wait(3, {5}, {1}, 10));
    EXPECT_TRUE(forecast_wait(0, {UINT64_MAX}, {1}, 1e-6));
    EXPECT_EQ(forecast_wait(0, {}, {1}, 10), 0ms);
}

TEST(speed_meter, averages_full_seconds_while_there_was_always_something_to_send) {
    speed_meter one;
    for (int i = 0; i < 100; ++i) {
        one.ended(start + i * 100ms);
    }
    EXPECT_FALSE(one.per_second(start + 3500ms)) << "its first second may not have been a full one";
    EXPECT_DOUBLE_EQ(*one.per_second(start + 10s), 10);
    EXPECT_DOUBLE_EQ(*one.per_second(start + 20s), 50.0 / 15) << "nothing ended in the last ten seconds";
}

TEST(speed_meter, forgets_what_was_before_it_had_nothing_to_send) {
    speed_meter one;
    for (int i = 0; i < 100; ++i) {
        one.ended(start + i * 100ms);
    }
    one.starved(start + 8500ms);
    EXPECT_FALSE(one.per_second(start + 10s));
    for (int i = 0; i < 100; ++i) {
        one.ended(start + 9s + i * 50ms);
    }
    EXPECT_DOUBLE_EQ(*one.per_second(start + 12s), (10 * 1.0 + 3 * 20) / 3);
}

} // namespace
} // namespace linkrunner::delivery
