#include "telemetry/age_sketch.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace linkrunner::telemetry {
namespace {

using namespace std::chrono_literals;

TEST(age_sketch, has_no_percentile_of_nothing) {
    EXPECT_FALSE(age_sketch().percentile(0.5));
}

TEST(age_sketch, tells_percentiles_within_a_thirtieth_at_any_size) {
    for (const std::chrono::nanoseconds age :
         std::initializer_list<std::chrono::nanoseconds>{1us, 17us, 999us, 20ms, 1s, 29s, 5min, 3h, 72h}) {
        age_sketch ages;
        ages.add(age);
        const double seconds = std::chrono::duration<double>(age).count();
        EXPECT_NEAR(ages.percentile(0.5).value(), seconds, seconds * 0.033 + 0.5e-6) << age.count();
        EXPECT_EQ(ages.percentile(0.5), ages.percentile(0.99));
    }
}

TEST(age_sketch, tells_the_rare_from_the_usual) {
    age_sketch ages;
    for (int i = 1; i <= 1000; ++i) {
        ages.add(i <= 980 ? 10ms : 60s);
    }
    EXPECT_NEAR(ages.percentile(0.50).value(), 0.010, 0.0004);
    EXPECT_NEAR(ages.percentile(0.95).value(), 0.010, 0.0004);
    EXPECT_NEAR(ages.percentile(0.99).value(), 60, 2);
    EXPECT_NEAR(ages.percentile(1).value(), 60, 2);
}

TEST(age_sketch, takes_ages_below_nothing_and_beyond_its_bounds) {
    age_sketch ages;
    ages.add(-5s);
    EXPECT_LT(ages.percentile(0.5).value(), 1e-5);
    age_sketch old;
    old.add(24h * 365);
    EXPECT_GT(old.percentile(0.5).value(), 40.0 * 86400);
}

TEST(age_sketch, adds_another_to_itself) {
    age_sketch one;
    age_sketch two;
    one.add(1s);
    two.add(100s);
    two.add(100s);
    one.merge(two);
    EXPECT_EQ(one.count(), 3U);
    EXPECT_NEAR(one.percentile(0.9).value(), 100, 3.3);
}

} // namespace
} // namespace linkrunner::telemetry
