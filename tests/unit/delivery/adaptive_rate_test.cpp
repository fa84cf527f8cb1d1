#include "delivery/adaptive_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>

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

adaptive_rate::attempt sent(steady_time began) {
    return {began, 10ms, false, true};
}

void succeed(adaptive_rate& rate, steady_time at, int times) {
    for (int i = 0; i < times; ++i) {
        rate.succeeded(sent(at));
    }
}

TEST(adaptive_rate, is_lowered_by_a_little_once_for_all_that_was_under_way) {
    adaptive_rate rate(100, true, {});
    rate.throttled(sent(start), start + 100ms);
    const double once = rate.rate(start);
    EXPECT_NEAR(once, 95.6, 0.1);
    rate.throttled(sent(start + 50ms), start + 120ms);
    rate.throttled(sent(start + 100ms), start + 130ms);
    EXPECT_DOUBLE_EQ(rate.rate(start), once);
    rate.throttled(sent(start + 1s), start + 1100ms);
    EXPECT_DOUBLE_EQ(rate.rate(start), once) << "the same second is still used up";
    rate.throttled(sent(start + 1101ms), start + 1200ms);
    EXPECT_NEAR(rate.rate(start), 91.4, 0.1);
}

TEST(adaptive_rate, is_halved_when_429s_come_with_far_too_few_successes_between) {
    adaptive_rate rate(100, true, {});
    for (int i = 1; i <= 6; ++i) {
        rate.throttled(sent(start + i * 2s), start + i * 2s);
    }
    EXPECT_NEAR(rate.rate(start), 91.4 / 16, 0.1) << "lowered twice, then halved four times";
    for (int i = 7; i <= 60; ++i) {
        rate.throttled(sent(start + i * 2s), start + i * 2s);
    }
    EXPECT_NEAR(rate.rate(start), 1.0 / 300, 0.003) << "no lower than the floor";
    EXPECT_GE(rate.rate(start), 1.0 / 300);
}

TEST(adaptive_rate, stays_where_it_is_on_the_share_of_429s_that_it_wants) {
    for (const double r : {0.3, 3.0, 30.0}) {
        const double share = 0.0215 * std::pow(0.3 / r, 0.75);
        adaptive_rate free(std::nullopt, true, {});
        while (free.rate(start) < r) {
            succeed(free, start, 1);
        }
        free.throttled(sent(start), start + 1ms); // the search ends
        steady_time now = start + 1s;
        while (free.rate(start) < r) {
            succeed(free, now, 1);
        }
        const double before = free.rate(start);
        for (int round = 0; round < 20; ++round) {
            free.throttled(sent(now += 2s), now);
            succeed(free, now += 1s, static_cast<int>(1 / share));
        }
        EXPECT_NEAR(free.rate(start), before, before * 0.2) << r;
    }
}

TEST(adaptive_rate, raises_faster_when_nothing_is_answered_429_for_long) {
    adaptive_rate rate(29, true, {});
    for (int i = 1; i <= 9; ++i) {
        rate.throttled(sent(start + i * 2s), start + i * 2s);
    }
    EXPECT_LT(rate.rate(start), 1);
    double seconds = 0;
    while (rate.rate(start) < 29 && seconds < 10'000) {
        seconds += 1 / rate.rate(start);
        succeed(rate, start + 3h, 1);
    }
    EXPECT_LT(seconds, 2500) << "and twice as long if it did not";
    EXPECT_DOUBLE_EQ(rate.rate(start), 29) << "and never above the ceiling";
}

TEST(adaptive_rate, earns_nothing_where_something_else_bounds_the_sending) {
    adaptive_rate rate(std::nullopt, true, {});
    for (int i = 0; i < 1000; ++i) {
        rate.succeeded({start, 1s, false, false});
    }
    EXPECT_DOUBLE_EQ(rate.rate(start), 1);
}

TEST(adaptive_rate, searches_by_doubling_within_a_second_until_the_first_429) {
    adaptive_rate rate(std::nullopt, true, {});
    succeed(rate, start, 30);
    EXPECT_DOUBLE_EQ(rate.rate(start), 31);
    rate.throttled(sent(start), start + 1s);
    EXPECT_DOUBLE_EQ(rate.rate(start), 15.5);
    succeed(rate, start + 2s, 30);
    EXPECT_LT(rate.rate(start), 16);
}

TEST(adaptive_rate, finds_its_way_back_soon_after_the_search_and_slowly_after_the_next_429) {
    adaptive_rate rate(std::nullopt, true, {});
    succeed(rate, start, 30);
    rate.throttled(sent(start), start + 1s);
    const auto seconds_until = [&](double wanted) {
        double seconds = 0;
        while (rate.rate(start) < wanted && seconds < 10'000) {
            seconds += 1 / rate.rate(start);
            succeed(rate, start + 3h, 1);
        }
        return seconds;
    };
    EXPECT_NEAR(rate.rate(start), 15.5, 0.1);
    EXPECT_LT(seconds_until(30), 180);
    rate.throttled(sent(start + 2h), start + 2h);
    EXPECT_GT(seconds_until(31), 50);
}

TEST(adaptive_rate, is_not_lowered_by_a_probe_after_a_pause) {
    adaptive_rate rate(29, true, {});
    rate.throttled({start, 5s, true, true}, start + 10ms);
    EXPECT_DOUBLE_EQ(rate.rate(start), 29);
    rate.throttled({start + 1s, 30ms, true, true}, start + 2s); // the pause was shorter than a request's time
    EXPECT_LT(rate.rate(start), 29);
}

TEST(adaptive_rate, dithers_below_the_ceiling_only) {
    adaptive_rate rate(29, true, {});
    rate.draw(0.9);
    EXPECT_DOUBLE_EQ(rate.pace(start), 29);
    rate.throttled(sent(start), start);
    const double r = rate.rate(start);
    rate.draw(0);
    EXPECT_NEAR(rate.pace(start), r * 0.9, 0.001);
    rate.draw(0.999);
    EXPECT_NEAR(rate.pace(start), 29, 0.001) << "and never above it";
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

TEST(adaptive_rate, is_bound_by_one_answer_for_no_longer_than_the_longest_pause) {
    adaptive_rate::rules by;
    by.longest_pause = 100s;
    adaptive_rate rate(29, true, by);
    rate.heed(hint(1, longest_wait), start);
    EXPECT_DOUBLE_EQ(rate.rate(start), 0.01);
    EXPECT_DOUBLE_EQ(rate.rate(start + 99s), 0.01);
    EXPECT_EQ(rate.cap_until(), start + 100s);
    EXPECT_DOUBLE_EQ(rate.rate(start + 100s), 29);
    rate_hint absurd;
    absurd.sustained = 1e-15;
    rate.heed(absurd, start);
    EXPECT_DOUBLE_EQ(rate.rate(start), 0.01);
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
    rate.throttled(sent(start), start);
    rate.heed(hint(1, 100s), start);
    EXPECT_DOUBLE_EQ(rate.rate(start), 100);
}

} // namespace
} // namespace linkrunner::delivery
