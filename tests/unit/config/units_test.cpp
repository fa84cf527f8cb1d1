#include "config/units.hpp"

#include <gtest/gtest.h>

#include <random>

using namespace linkrunner::config;
using namespace std::chrono_literals;

namespace {

TEST(Units, SizesAreDecimalOrBinaryByTheirUnit) {
    const std::pair<const char*, std::uint64_t> table[] = {{"0B", 0},
                                                           {"17B", 17},
                                                           {"1kB", 1000},
                                                           {"1KB", 1000},
                                                           {"1KiB", 1024},
                                                           {"64KiB", 65536},
                                                           {"1MB", 1'000'000},
                                                           {"4MiB", 4194304},
                                                           {"1.5GiB", 1610612736},
                                                           {"2GB", 2'000'000'000},
                                                           {"1TB", 1'000'000'000'000},
                                                           {"1TiB", 1099511627776},
                                                           {"9007199254740993B", 9007199254740993}};
    for (const auto& [text, bytes] : table) {
        const auto parsed = parse_size(text);
        ASSERT_TRUE(parsed.has_value()) << text;
        EXPECT_EQ(*parsed, bytes) << text;
    }
}

TEST(Units, WhatIsNoSizeIsAnsweredWithAnExample) {
    const std::pair<const char*, const char*> table[] = {
        {"10", "for example 10MiB"},   {"", "for example 64KiB"},
        {"1 MiB", "for example 1MiB"}, {"-1MiB", "for example 64KiB"},
        {"1mb", "for example 1MiB"},   {"0x10B", "for example 64KiB"},
        {"1e3B", "for example 1MiB"},  {"infB", "for example 64KiB"},
        {"MiB", "for example 64KiB"},  {"99999999999TiB", "for example 64KiB"}};
    for (const auto& [text, example] : table) {
        const auto parsed = parse_size(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_NE(parsed.error().message.find(example), std::string::npos) << parsed.error().message;
    }
}

TEST(Units, DurationsNeedTheirUnit) {
    EXPECT_EQ(*parse_length("250ms"), 250ms);
    EXPECT_EQ(*parse_length("1.5h"), 90min);
    EXPECT_EQ(parse_length("10").error().message,
              "\"10\" is not a duration; give a number with a unit, for example 10s (units: ms, s, m, h, d)");
    EXPECT_TRUE(parse_length("10 s").has_error());
    EXPECT_TRUE(parse_length("-1s").has_error());
    EXPECT_TRUE(parse_length("10sec").has_error());
    EXPECT_TRUE(parse_length("1h30m").has_error());
}

TEST(Units, RatesArePerSecondOrMinute) {
    EXPECT_EQ(*parse_rate("29/s"), 29.0);
    EXPECT_EQ(*parse_rate("1740/m"), 29.0);
    EXPECT_EQ(*parse_rate("0.5/s"), 0.5);
    for (const char* text : {"29", "29/h", "/s", "29 /s", "-1/s", "nan/s", "29/s/s"}) {
        EXPECT_TRUE(parse_rate(text).has_error()) << text;
    }
}

TEST(Units, ModesAreOctal) {
    EXPECT_EQ(*parse_mode("0660"), 0660U);
    EXPECT_EQ(*parse_mode("600"), 0600U);
    for (const char* text : {"0888", "01777", "", "rw-", "-1", "0o660"}) {
        EXPECT_TRUE(parse_mode(text).has_error()) << text;
    }
}

TEST(Units, CountsAreWholeAndInRange) {
    EXPECT_EQ(*parse_count("18446744073709551615"), 18446744073709551615U);
    for (const char* text : {"", "-1", "+1", "1.0", "1e3", "0x1", "1_000", " 1", "18446744073709551616"}) {
        EXPECT_TRUE(parse_count(text).has_error()) << text;
    }
}

TEST(Units, FlagsAreTrueOrFalseAndNothingElse) {
    EXPECT_TRUE(*parse_flag("true"));
    EXPECT_FALSE(*parse_flag("False"));
    for (const char* text : {"", "yes", "on", "1", "t", "tRuE"}) {
        EXPECT_TRUE(parse_flag(text).has_error()) << text;
    }
}

TEST(Units, WhatIsPrintedReadsBackAsTheSame) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t bytes = random() >> (random() % 62 + 2);
        ASSERT_EQ(*parse_size(print_size(bytes)), bytes) << print_size(bytes);
        const std::chrono::milliseconds length(static_cast<std::int64_t>(random() >> (random() % 40 + 24)));
        ASSERT_EQ(*parse_length(print_length(length)), length) << print_length(length);
        const double number =
            std::ldexp(static_cast<double>(random() >> 11U), -static_cast<int>(random() % 60));
        ASSERT_EQ(*parse_number(print_number(number)), number) << print_number(number);
    }
    EXPECT_EQ(print_size(1'000'000), "1MB");
    EXPECT_EQ(print_size(4 << 20), "4MiB");
    EXPECT_EQ(print_length(5min), "5m");
    EXPECT_EQ(print_length(90s), "90s");
    EXPECT_EQ(print_length(0s), "0s");
    EXPECT_EQ(print_mode(0660), "0660");
}

TEST(Units, QuotedTextsAreShortAndHarmless) {
    EXPECT_EQ(quote("a\x1b[1m\n"), "\"a\\x1b[1m\\x0a\"");
    EXPECT_EQ(quote(std::string(100, 'x')), "\"" + std::string(60, 'x') + "\"...");
}

} // namespace
