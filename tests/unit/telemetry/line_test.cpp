#include "telemetry/line.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace linkrunner::log;

namespace {

TEST(TextLine, WritesPlainValuesBareAndOthersInQuotes) {
    EXPECT_EQ(text_line("started", {{"listen", "127.0.0.1:7417"}, {"why", "with space"}, {"empty", ""}}),
              R"(started listen=127.0.0.1:7417 why="with space" empty="")");
}

TEST(TextLine, WritesNumbersAndFlagsAsTheyAre) {
    EXPECT_EQ(
        text_line("m", {{"n", -3}, {"big", std::int64_t{9007199254740993}}, {"rate", 29.5}, {"on", true}}),
        "m n=-3 big=9007199254740993 rate=29.5 on=true");
}

TEST(TextLine, QuotesWhatCouldBeTakenForAnotherField) {
    EXPECT_EQ(text_line("m", {{"a", "x level=error"}, {"b", "k=v"}, {"c", "say \"hi\" \\o/"}}),
              R"(m a="x level=error" b="k=v" c="say \"hi\" \\o/")");
}

TEST(TextLine, NoValueOrMessageCanEndTheLine) {
    EXPECT_EQ(text_line("a\nb", {{"v", "1\n2026-11-23 INFO forged\r\t"}}),
              R"(a\nb v="1\n2026-11-23 INFO forged\r\t")");
}

TEST(TextLine, NoValueCanDriveATerminal) {
    using namespace std::string_literals;
    EXPECT_EQ(
        text_line("m", {{"esc", "\x1b[2J"s},
                        {"nul", "a\0b"s},
                        {"c1", "\xc2\x9b"
                               "31m"s},
                        {"bidi", "\xe2\x80\xae"s},
                        {"line", "\xe2\x80\xa8"s},
                        {"raw", "\xff\xc0\xaf"s}}),
        R"(m esc="\u001b[2J" nul="a\u0000b" c1="\u009b31m" bidi="\u202e" line="\u2028" raw="\xff\xc0\xaf")");
}

TEST(TextLine, KeepsOtherLanguages) {
    EXPECT_EQ(text_line("m", {{"name", "ग्राहक 😀"}}), R"(m name="ग्राहक 😀")");
}

TEST(TextLine, LeavesOutWhatIsNotThere) {
    EXPECT_EQ(text_line("m", {field::if_any("trace_id", ""), {"a", 1}, field::if_any("b", "x")}),
              "m a=1 b=x");
    EXPECT_EQ(json_members("m", {field::if_any("trace_id", ""), {"a", 1}}), R"("msg":"m","a":1)");
}

TEST(TextLine, SaysHowManyWereLeftOut) {
    EXPECT_EQ(text_line("m", {{"a", 1}}, 42), "m a=1 suppressed=42");
}

TEST(JsonMembers, WritesEachKindOfValueAsJson) {
    EXPECT_EQ(json_members("m \"x\"", {{"s", "a\\b"}, {"n", 7}, {"d", 0.1}, {"f", false}}),
              R"("msg":"m \"x\"","s":"a\\b","n":7,"d":0.1,"f":false)");
}

TEST(JsonMembers, EscapesControlsAndReplacesBytesThatAreNotUtf8) {
    EXPECT_EQ(json_members("m", {{"v", "a\n\x01\xff"}}), "\"msg\":\"m\",\"v\":\"a\\n\\u0001\xEF\xBF\xBD\"");
}

TEST(JsonMembers, NumbersThatJsonDoesNotKnowBecomeStrings) {
    EXPECT_EQ(json_members("m", {{"a", std::numeric_limits<double>::quiet_NaN()},
                                 {"b", -std::numeric_limits<double>::infinity()}}),
              R"("msg":"m","a":"nan","b":"-inf")");
}

TEST(JsonMembers, SaysHowManyWereLeftOut) {
    EXPECT_EQ(json_members("m", {}, 3), R"("msg":"m","suppressed":3)");
}

TEST(Lines, LongValuesAreCutAtAWholeCharacter) {
    const std::string ascii = text_line("m", {{"v", std::string(5000, 'x')}});
    EXPECT_EQ(ascii, "m v=" + std::string(2048, 'x') + "...");
    std::string euros = "x";
    for (int i = 0; i < 2000; ++i) {
        euros += "€";
    }
    const std::string cut = json_members("m", {{"v", euros}});
    EXPECT_EQ(cut.find("\xEF\xBF\xBD"), std::string::npos);
    EXPECT_TRUE(cut.ends_with("€...\""));
    EXPECT_LE(cut.size(), 2048 + 32U);
}

} // namespace
