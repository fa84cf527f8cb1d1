#include "delivery/token_bucket.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace linkrunner::delivery {
namespace {

using namespace std::chrono_literals;
using wide = __int128;

constexpr steady_time start{1000s};

// For every pair of tokens: those between and with them are at most burst + rate * time between.
void expect_within(const std::vector<steady_time>& taken, std::uint64_t micro_rate,
                   std::uint64_t micro_burst) {
    wide lowest = 0;
    for (std::size_t i = 0; i < taken.size(); ++i) {
        const wide level = static_cast<wide>(i) * 1'000'000'000'000'000 -
                           static_cast<wide>((taken[i] - start).count()) * micro_rate;
        lowest = i == 0 ? level : std::min(lowest, level);
        ASSERT_LE(level - lowest + 1'000'000'000'000'000, static_cast<wide>(micro_burst) * 1'000'000'000)
            << "token " << i;
    }
}

TEST(token_bucket, begins_empty_so_that_restarts_earn_nothing) {
    token_bucket bucket(10, 5, start);
    EXPECT_FALSE(bucket.take(start));
    EXPECT_EQ(bucket.ready_at(start), start + 100ms);
    EXPECT_FALSE(bucket.take(start + 100ms - 1ns));
    EXPECT_TRUE(bucket.take(start + 100ms));
}

TEST(token_bucket, is_ready_exactly_when_it_says) {
    for (const double rate : {0.001, 0.1, 1.0, 7.0, 29.0, 30.0, 333.333, 10'000.0, 999'999.0}) {
        token_bucket bucket(rate, 1, start);
        steady_time now = start;
        for (int i = 0; i < 1000; ++i) {
            const steady_time ready = bucket.ready_at(now);
            ASSERT_FALSE(bucket.take(ready - 1ns)) << rate;
            ASSERT_TRUE(bucket.take(ready)) << rate;
            now = ready;
        }
    }
}

TEST(token_bucket, does_not_drift_in_a_day_though_29_per_second_is_no_whole_number_of_nanoseconds) {
    token_bucket bucket(29, 1, start);
    steady_time now = start;
    std::uint64_t taken = 0;
    while ((now = bucket.ready_at(now)) <= start + 24h) {
        ASSERT_TRUE(bucket.take(now));
        ++taken;
    }
    EXPECT_GE(taken, 29U * 86'400 - 1); // each token is at most a nanosecond late
    EXPECT_LE(taken, 29U * 86'400);
}

TEST(token_bucket, gives_the_burst_after_idle_time_and_no_more) {
    token_bucket bucket(10, 3, start);
    const steady_time later = start + 1000h;
    EXPECT_TRUE(bucket.take(later));
    EXPECT_TRUE(bucket.take(later));
    EXPECT_TRUE(bucket.take(later));
    EXPECT_FALSE(bucket.take(later));
}

TEST(token_bucket, gives_nothing_when_the_clock_stands_still_or_goes_back) {
    token_bucket bucket(10, 1, start);
    ASSERT_TRUE(bucket.take(start + 1s));
    EXPECT_FALSE(bucket.take(start + 1s));
    EXPECT_FALSE(bucket.take(start));
    EXPECT_FALSE(bucket.take(start + 1s + 99ms));
    EXPECT_TRUE(bucket.take(start + 1s + 100ms));
}

TEST(token_bucket, credits_what_was_gained_at_the_rate_of_its_time) {
    token_bucket bucket(10, 1, start);
    bucket.set_rate(1, start + 50ms); // half a token
    EXPECT_EQ(bucket.ready_at(start + 50ms), start + 550ms);
    bucket.set_rate(100, start + 450ms); // nine tenths
    EXPECT_EQ(bucket.ready_at(start + 450ms), start + 451ms);
}

TEST(token_bucket, treats_a_burst_below_one_as_one_and_never_stops_for_good) {
    token_bucket bucket(0, 0.2, start);
    EXPECT_EQ(bucket.ready_at(start), start + 1'000'000s);
    EXPECT_TRUE(bucket.take(start + 1'000'000s));
}

TEST(token_bucket, is_exact_over_every_window_of_random_histories) {
    std::mt19937_64 random(20260101);
    for (int history = 0; history < 2'000; ++history) {
        const std::uint64_t micro_rate = 1'000'000 + random() % 100'000'000;
        const std::uint64_t micro_burst = 1'000'000 + random() % 9'000'000;
        const double rate = static_cast<double>(micro_rate) / 1e6;
        token_bucket bucket(rate, static_cast<double>(micro_burst) / 1e6, start);
        std::vector<steady_time> taken;
        steady_time now = start;
        for (int step = 0; step < 300; ++step) {
            switch (random() % 4) {
            case 0:
                now += nanoseconds(random() % 2'000'000'000);
                break;
            case 1:
                now += nanoseconds(random() % 100'000'000);
                break;
            case 2:
                now = bucket.ready_at(now);
                break;
            default:
                break;
            }
            if (random() % 16 == 0) { // lower for a while, never above
                bucket.set_rate(rate * static_cast<double>(random() % 1000) / 1000, now);
            } else if (random() % 8 == 0) {
                bucket.set_rate(rate, now);
            }
            while (random() % 4 != 0 && bucket.take(now)) {
                taken.push_back(now);
            }
        }
        // The rate of a double may be a millionth above the whole number that it was made of.
        expect_within(taken, micro_rate + 1, micro_burst + 1);
        ASSERT_FALSE(HasFatalFailure()) << "history " << history;
    }
}

} // namespace
} // namespace linkrunner::delivery
