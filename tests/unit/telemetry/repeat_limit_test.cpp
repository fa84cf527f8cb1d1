#include "telemetry/repeat_limit.hpp"

#include <gtest/gtest.h>

using linkrunner::log::repeat_limit;
using namespace std::chrono_literals;

namespace {

constexpr repeat_limit::time_point start{1h};

TEST(RepeatLimit, WritesFiveOfAKindAndThenNoneInTenSeconds) {
    repeat_limit limit;
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(limit.admit("disk full", start + i * 1s), 0U);
    }
    EXPECT_EQ(limit.admit("disk full", start + 5s), std::nullopt);
    EXPECT_EQ(limit.admit("disk full", start + 9999ms), std::nullopt);
}

TEST(RepeatLimit, TheNextOneWrittenTellsHowManyWereLeftOutAndOnlyThat) {
    repeat_limit limit;
    for (int i = 0; i < 12; ++i) {
        limit.admit("m", start);
    }
    EXPECT_EQ(limit.admit("m", start + 10s), 7U);
    EXPECT_EQ(limit.admit("m", start + 10s), 0U);
}

TEST(RepeatLimit, HoldsOverEveryTenSecondsNotOnlyFromTheFirst) {
    repeat_limit limit;
    std::vector<repeat_limit::time_point> written;
    for (auto now = start; now < start + 60s; now += 100ms) {
        if (limit.admit("m", now)) {
            written.push_back(now);
        }
    }
    ASSERT_GE(written.size(), 25U);
    for (std::size_t i = 5; i < written.size(); ++i) {
        EXPECT_GE(written[i] - written[i - 5], 10s);
    }
}

TEST(RepeatLimit, OtherMessagesAreNotTouched) {
    repeat_limit limit;
    for (int i = 0; i < 10; ++i) {
        limit.admit("a", start);
    }
    EXPECT_EQ(limit.admit("b", start), 0U);
}

TEST(RepeatLimit, ForgetsTheMessageSeenLongestAgoWhenThereAreTooMany) {
    repeat_limit limit;
    for (int i = 0; i < 6; ++i) {
        limit.admit("first", start);
        limit.admit("kept", start + 2s);
    }
    for (std::size_t i = 0; i < repeat_limit::most_messages - 1; ++i) {
        limit.admit("other " + std::to_string(i), start + 3s);
    }
    EXPECT_EQ(limit.admit("kept", start + 4s), std::nullopt);
    EXPECT_EQ(limit.admit("first", start + 4s), 0U);
}

} // namespace
