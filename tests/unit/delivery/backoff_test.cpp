#include "delivery/backoff.hpp"

#include <gtest/gtest.h>

namespace linkrunner::delivery {
namespace {

using namespace std::chrono_literals;

TEST(backoff, doubles_its_ceiling_up_to_the_maximum) {
    const backoff one(1s, 300s);
    const struct {
        std::uint32_t failures;
        nanoseconds ceiling;
    } table[] = {{0, 1s},
                 {1, 1s},
                 {2, 2s},
                 {3, 4s},
                 {4, 8s},
                 {9, 256s},
                 {10, 300s},
                 {11, 300s},
                 {63, 300s},
                 {64, 300s},
                 {4'000'000'000, 300s}};
    for (const auto& row : table) {
        EXPECT_EQ(one.ceiling(row.failures), row.ceiling) << row.failures;
    }
}

TEST(backoff, draws_uniformly_below_the_ceiling) {
    const backoff one(1s, 300s);
    EXPECT_EQ(one.full_jitter(3, 0.0), 0s);
    EXPECT_EQ(one.full_jitter(3, 0.5), 2s);
    EXPECT_LT(one.full_jitter(3, 0.999999), 4s);
    EXPECT_EQ(one.half_jitter(3, 0.0), 2s);
    EXPECT_EQ(one.half_jitter(3, 0.5), 3s);
}

TEST(backoff, is_never_below_the_floor) {
    const backoff one(1s, 300s);
    EXPECT_EQ(one.full_jitter(1, 0.5, 7s), 7s);
    EXPECT_EQ(one.full_jitter(10, 0.5, 7s), 150s);
}

TEST(backoff, takes_a_maximum_below_the_first_wait_for_the_first_wait) {
    EXPECT_EQ(backoff(5s, 1s).ceiling(9), 5s);
    EXPECT_EQ(backoff(0s, 0s).ceiling(1), 1ms);
}

TEST(backoff, survives_the_longest_durations) {
    const backoff one(1ms, std::chrono::hours(24 * 365 * 200));
    EXPECT_EQ(one.ceiling(1000), std::chrono::hours(24 * 365 * 200));
}

} // namespace
} // namespace linkrunner::delivery
