#include "base/duration.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace linkrunner {
namespace {

using namespace std::chrono_literals;

TEST(duration, is_a_number_with_a_unit) {
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("5s"), 5s);
    EXPECT_EQ(parse_duration("1.5h"), 90min);
    EXPECT_EQ(parse_duration("72h"), 72h);
    EXPECT_EQ(parse_duration("3m"), 3min);
    EXPECT_EQ(parse_duration("30d"), 720h);
    EXPECT_EQ(parse_duration("0s"), 0ms);
    EXPECT_EQ(parse_duration("0.5ms"), 1ms);
}

TEST(duration, anything_else_is_none) {
    for (const char* const text : {"", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "5S", "5sec", "1h30m",
                                   "1e3s", "nan", "infs", "0x5s", "99999999999999d"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(duration, is_shown_with_two_units_at_most) {
    EXPECT_EQ(format_duration(0ms), "0ms");
    EXPECT_EQ(format_duration(250ms), "250ms");
    EXPECT_EQ(format_duration(5s), "5s");
    EXPECT_EQ(format_duration(4200ms), "4.2s");
    EXPECT_EQ(format_duration(200s), "3m20s");
    EXPECT_EQ(format_duration(5h + 2min + 59s), "5h02m");
    EXPECT_EQ(format_duration(24h * 12 + 3h), "12d3h");
}

} // namespace
} // namespace linkrunner
