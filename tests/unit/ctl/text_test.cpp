#include "ctl/text.hpp"

#include <gtest/gtest.h>

namespace linkrunner::ctl {
namespace {

TEST(text, numbers_are_written_for_people) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(1203332), "1,203,332");
    EXPECT_EQ(bytes_text(512), "512 B");
    EXPECT_EQ(bytes_text(std::uint64_t{1} << 30), "1 GiB");
    EXPECT_EQ(bytes_text(14'889'779), "14.2 MiB");
    EXPECT_EQ(rate_text(29), "29/s");
    EXPECT_EQ(rate_text(0.5), "0.5/s");
    EXPECT_EQ(rate_text(12.345), "12.3/s");
    EXPECT_EQ(rate_text(20000), "20000/s");
    EXPECT_EQ(seconds_text(350.4), "5m50s");
    EXPECT_EQ(seconds_text(-3), "0ms");
    EXPECT_EQ(seconds_text(std::nullopt), "unknown");
    EXPECT_EQ(percent_text(1, 1000), "under 1%");
    EXPECT_EQ(percent_text(0, 1000), "0%");
    EXPECT_EQ(percent_text(500, 1000), "50%");
    EXPECT_EQ(percent_text(1, 0), "0%");
}

TEST(text, what_comes_from_outside_cannot_steer_the_terminal) {
    EXPECT_EQ(printable("caf\xC3\xA9 \x1B[2J\n\x7F"), "caf\xC3\xA9 ?[2J??");
    EXPECT_EQ(printable("\xC2\x9B"
                        "31m"),
              "?31m"); // CSI of C1
    EXPECT_EQ(printable("\xFFx\xE2\x82"), "?x??");
}

TEST(text, is_cut_between_characters) {
    EXPECT_EQ(clipped("short", 5), "short");
    EXPECT_EQ(clipped("longer text", 8), "longe...");
    EXPECT_EQ(clipped("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 4), "\xC3\xA9...");
    EXPECT_EQ(columns_of("\xC3\xA9\xE2\x82\xAC"), 2U);
}

TEST(text, ages_come_from_times_in_utc) {
    EXPECT_DOUBLE_EQ(*age_of("1970-01-02T00:00:01.500Z", 86402), 0.5);
    EXPECT_DOUBLE_EQ(*age_of("2026-11-23T15:56:11.000Z", 1795449371 + 60), 60);
    EXPECT_FALSE(age_of("yesterday", 0));
    EXPECT_FALSE(age_of("", 0));
}

TEST(a_table, has_columns_as_wide_as_they_need_to_be) {
    table subject({{"NUMBER", true}, {"NAME", false}, {"SAID", false}});
    EXPECT_TRUE(subject.empty());
    subject.row({"7", "cart_added", "no"});
    subject.row({"1234567", "x", "a long answer of the API"});
    EXPECT_EQ(subject.text(200), " NUMBER  NAME        SAID\n"
                                 "      7  cart_added  no\n"
                                 "1234567  x           a long answer of the API\n");
    EXPECT_EQ(subject.text(30, "  "), "   NUMBER  NAME        SAID\n"
                                      "        7  cart_added  no\n"
                                      "  1234567  x           a lo...\n");
}

} // namespace
} // namespace linkrunner::ctl
