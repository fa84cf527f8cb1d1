#include "delivery/expiry.hpp"

#include <gtest/gtest.h>

namespace linkrunner::delivery {
namespace {

using namespace std::chrono_literals;

constexpr steady_time steady{1000s};
constexpr wall_time wall{1'800'000'000s};
constexpr endpoint path = endpoint::capture_event;

TEST(stopped_spans, sum_up_what_lies_after_a_time) {
    stopped_spans one;
    one.set(true, wall);
    one.set(true, wall + 5s);
    one.set(false, wall + 10s);
    one.set(false, wall + 11s);
    one.set(true, wall + 20s);
    EXPECT_EQ(one.since(wall - 1h, wall + 15s), 10s);
    EXPECT_EQ(one.since(wall + 4s, wall + 15s), 6s);
    EXPECT_EQ(one.since(wall + 4s, wall + 25s), 11s);
    EXPECT_EQ(one.since(wall + 22s, wall + 25s), 3s);
    EXPECT_EQ(one.since(wall + 12s, wall + 20s), 0s);
}

TEST(stopped_spans, join_the_oldest_to_the_advantage_of_the_events) {
    stopped_spans one;
    for (int i = 0; i < 1000; ++i) {
        one.set(true, wall + i * 10s);
        one.set(false, wall + i * 10s + 1s);
    }
    EXPECT_GE(one.since(wall, wall + 10'000s), 1000s);
    EXPECT_EQ(one.since(wall + 9'900s, wall + 10'000s), 10s);
}

TEST(expiry, is_off_by_default) {
    const expiry one(std::nullopt);
    EXPECT_FALSE(one.expired(path, wall - 1000h, std::nullopt, wall));
}

TEST(expiry, counts_the_age_without_held_time) {
    expiry one(1min);
    one.observe(steady, wall);
    EXPECT_FALSE(one.expired(path, wall, std::nullopt, wall + 60s));
    EXPECT_TRUE(one.expired(path, wall, std::nullopt, wall + 60s + 1ms));
    one.set_stopped(path, true, wall + 10s);
    EXPECT_FALSE(one.expired(path, wall, std::nullopt, wall + 10h));
    one.set_stopped(path, false, wall + 40s);
    EXPECT_FALSE(one.expired(path, wall, std::nullopt, wall + 90s));
    EXPECT_TRUE(one.expired(path, wall, std::nullopt, wall + 90s + 1ms));
}

TEST(expiry, is_suspended_by_a_jump_of_the_wall_clock_in_either_direction_until_it_is_back) {
    for (const std::chrono::minutes jump : {11min, -11min, 1'000'000min}) {
        expiry one(1min);
        one.observe(steady, wall);
        EXPECT_FALSE(one.suspended());
        one.observe(steady + 1s, wall + 1s + jump);
        EXPECT_TRUE(one.suspended());
        EXPECT_NE(one.note().find("jumped by " + std::to_string(jump.count()) + " minutes"),
                  std::string::npos)
            << one.note();
        EXPECT_FALSE(one.expired(path, wall - 1h, std::nullopt, wall + jump));
        one.observe(steady + 5h, wall + 5h);
        EXPECT_FALSE(one.suspended());
        EXPECT_TRUE(one.expired(path, wall, std::nullopt, wall + 5h));
        EXPECT_EQ(one.note(), "");
    }
}

TEST(expiry, goes_along_with_a_clock_that_is_kept_right) {
    expiry one(1min);
    for (int i = 0; i < 100; ++i) { // 9 minutes each hour: ugly, and no jump
        one.observe(steady + i * 1h, wall + i * 1h + i * 9min);
        EXPECT_FALSE(one.suspended());
    }
}

TEST(expiry, is_suspended_while_the_wall_clock_stands_behind_the_newest_event) {
    expiry one(1min);
    one.accepted(wall + 5min, std::nullopt);
    one.observe(steady, wall);
    EXPECT_TRUE(one.suspended());
    EXPECT_NE(one.note().find("behind the newest event"), std::string::npos);
    one.observe(steady + 5min, wall + 5min);
    EXPECT_FALSE(one.suspended());
}

TEST(expiry, of_an_event_with_an_age_of_its_own_follows_that) {
    expiry all(1h), none(std::nullopt);
    for (expiry* one : {&all, &none}) {
        one->observe(steady, wall);
        EXPECT_FALSE(one->expired(path, wall, 1min, wall + 60s));
        EXPECT_TRUE(one->expired(path, wall, 1min, wall + 60s + 1ms));
        EXPECT_FALSE(one->expired(path, wall, 3h, wall + 2h));
        EXPECT_FALSE(one->expired(path, wall, age_off, wall + 10'000h));
    }
}

TEST(expiry, is_suspended_for_the_age_of_one_event_too) {
    expiry one(std::nullopt);
    one.accepted(wall, age_off);
    one.observe(steady, wall);
    one.observe(steady, wall + 5h);
    EXPECT_FALSE(one.suspended());
    one.accepted(wall, 1min);
    EXPECT_TRUE(one.suspended());
    EXPECT_FALSE(one.expired(path, wall, 1min, wall + 5h));
}

TEST(expiry, says_nothing_of_clocks_where_it_is_off) {
    expiry one(std::nullopt);
    one.observe(steady, wall);
    one.observe(steady, wall + 5h);
    EXPECT_FALSE(one.suspended());
    EXPECT_EQ(one.note(), "");
}

} // namespace
} // namespace linkrunner::delivery
