#include "delivery/retry_after.hpp"

#include "delivery/http_date.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace linkrunner::delivery {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

const sys_seconds in_1994 = sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;
const sys_seconds in_2026 = sys_days(std::chrono::year(2026) / 11 / 23) + 12h;

TEST(http_date, reads_the_three_forms) {
    for (const char* text :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
        EXPECT_EQ(parse_http_date(text, in_2026), in_1994) << text;
    }
    EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", in_2026), in_1994 + 240h);
    EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", in_2026),
              sys_days(std::chrono::year(2016) / 12 / 31) + 23h + 59min + 59s);
}

TEST(http_date, takes_two_digit_years_for_the_nearest_that_is_not_50_years_ahead) {
    const auto year_of = [](const char* text) {
        const auto found = parse_http_date(text, in_2026);
        return static_cast<int>(
            std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*found)).year());
    };
    EXPECT_EQ(year_of("Sunday, 06-Nov-26 08:49:37 GMT"), 2026);
    EXPECT_EQ(year_of("Sunday, 06-Nov-76 08:49:37 GMT"), 2076);
    EXPECT_EQ(year_of("Sunday, 06-Nov-77 08:49:37 GMT"), 1977);
    EXPECT_EQ(year_of("Sunday, 06-Nov-99 08:49:37 GMT"), 1999);
}

TEST(http_date, refuses_what_is_none) {
    for (const char* text : {"",
                             "5",
                             "Sun",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 06 Nov 1994 08:49:37 GMT ",
                             "sun, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "Sun, 31 Feb 1994 08:49:37 GMT",
                             "Sun, 00 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Now 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 24:00:00 GMT",
                             "Sun, 06 Nov 1994 08:60:00 GMT",
                             "Sun, 06 Nov 1994 08:49:61 GMT",
                             "Sun, 06 Nov 94 08:49:37 GMT",
                             "Sun, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov 06 08:49:37 94",
                             "1994-11-06T08:49:37Z",
                             "Sun, +6 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49:-7 GMT"}) {
        EXPECT_FALSE(parse_http_date(text, in_2026)) << text;
    }
}

std::optional<nanoseconds> wait_for(const std::string& value, const std::string& date = "") {
    attempt_end end;
    end.retry_after = value;
    end.date = date;
    return retry_after(end, wall_time(in_2026));
}

TEST(retry_after, takes_seconds) {
    EXPECT_EQ(wait_for("1"), 1s);
    EXPECT_EQ(wait_for("120"), 120s);
    EXPECT_EQ(wait_for(" 7 "), 7s);
    EXPECT_EQ(wait_for("007"), 7s);
    EXPECT_EQ(wait_for("99999999999999999999999999"), longest_wait);
    EXPECT_EQ(wait_for("18446744073709551615"), longest_wait);
}

TEST(retry_after, measures_a_date_against_the_answers_own) {
    // The API's clock is decades away from ours; the wait is 23 s all the same.
    EXPECT_EQ(wait_for("Sun, 06 Nov 1994 08:50:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), 23s);
    EXPECT_EQ(wait_for("Sunday, 06-Nov-94 08:50:00 GMT", "Sun Nov  6 08:49:37 1994"), 23s);
    EXPECT_EQ(wait_for("Sun, 06 Nov 2094 08:50:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), longest_wait);
}

TEST(retry_after, measures_a_date_against_our_clock_where_the_answer_has_none) {
    EXPECT_EQ(wait_for("Mon, 23 Nov 2026 12:00:30 GMT"), 30s);
    EXPECT_EQ(wait_for("Mon, 23 Nov 2026 12:00:30 GMT", "yesterday"), 30s);
}

TEST(retry_after, says_nothing_where_it_makes_no_sense) {
    for (const char* text : {"", " ", "0", "-1", "+5", "5s", "1.5", "five", "5, 10", "0x10", "1e3",
                             "Mon, 23 Nov 2026 11:59:59 GMT", "Mon, 23 Nov 2026 12:00:00 GMT", "\xff\xfe"}) {
        EXPECT_FALSE(wait_for(text)) << text;
    }
}

rate_hint hint_for(const std::string& limit, const std::string& remaining, const std::string& reset) {
    attempt_end end;
    end.ratelimit_limit = limit;
    end.ratelimit_remaining = remaining;
    end.ratelimit_reset = reset;
    end.date = "Mon, 23 Nov 2026 12:00:00 GMT";
    return rate_hint_of(end, wall_time(in_1994));
}

TEST(rate_hint, takes_resets_as_seconds_or_as_unix_time) {
    const auto unix = std::to_string(in_2026.time_since_epoch().count() + 42);
    EXPECT_EQ(hint_for("", "5", "42").reset, 42s);
    EXPECT_EQ(hint_for("", "5", "41.5").reset, 42s);
    EXPECT_EQ(hint_for("", "5", unix).reset, 42s);
    EXPECT_EQ(hint_for("", "5", unix + "000").reset, 43s); // milliseconds, and rounded up
    EXPECT_EQ(hint_for("", "5", "1000000000").reset, 0s);  // long past
    EXPECT_FALSE(hint_for("", "5", "soon").reset);
    EXPECT_FALSE(hint_for("", "5", "").reset);
}

TEST(rate_hint, takes_the_slowest_window_that_a_limit_names) {
    EXPECT_DOUBLE_EQ(*hint_for("100, 100;w=10", "", "").sustained, 10);
    EXPECT_DOUBLE_EQ(*hint_for("10, 10;w=1, 50;w=60, 1000;w=3600", "", "").sustained, 1000.0 / 3600);
    EXPECT_DOUBLE_EQ(*hint_for("30;w=1;comment=x", "", "").sustained, 30);
    for (const char* text : {"", "100", "100;w=0", "0;w=10", "x;w=1", "100;w=x", "w=1;100"}) {
        EXPECT_FALSE(hint_for(text, "", "").sustained) << text;
    }
}

// Of the structured fields.
rate_hint structured(const std::string& left, const std::string& policy = "") {
    attempt_end end;
    end.ratelimit = left;
    end.ratelimit_policy = policy;
    return rate_hint_of(end, wall_time(in_2026));
}

struct left_case {
    const char* left;
    const char* policy;
    std::optional<std::uint64_t> remaining;
    std::optional<nanoseconds> reset;
};

TEST(rate_hint, takes_what_is_left_from_the_structured_field) {
    const std::vector<left_case> table = {
        {R"("default";r=50;t=30)", "", 50, 30s},
        {R"("default";t=30;r=50)", "", 50, 30s},
        {R"(  "default"; r=50;  t=30  )", "", 50, 30s},
        {R"(default;r=50;t=30)", "", 50, 30s}, // a token for a string
        {R"("a\"b\\";r=1;t=2;pk=:c2VjcmV0:;x;y=?1;z=1.5)", "", 1, 2s},
        {R"("default";r=1;r=2;t=3)", "", 2, 3s}, // the last of a name counts
        {R"("default";r=0;t=9)", "", 0, 9s},
        {R"("default";r=999999999999999;t=999999999999999)", "", 999'999'999'999'999, longest_wait},
        {R"("default";r=50)", "", 50, {}},
        // Without a time: the window of the policy of that name.
        {R"("b";r=50)", R"("a";q=10;w=5, "b";q=100;w=60)", 50, 60s},
        {R"("b";r=50)", R"("a";q=10;w=5)", 50, {}},
        // The tightest of several.
        {R"("minute";r=50;t=50, "day";r=100;t=10000)", "", 100, 10'000s},
        {R"("day";r=1000;t=1000, "second";r=0;t=1)", "", 0, 1s},
        {R"("second";r=0;t=1,"day";r=0;t=900)", "", 0, 900s},
        {R"("second";r=5, "day";r=7;t=900)", "", 7, 900s},
        // Others than requests do not count.
        {R"("bytes";r=0;t=60, "calls";r=5;t=10)",
         R"("bytes";q=9999;w=60;qu="content-bytes", "calls";q=9;w=60)", 5, 10s},
        {R"("c";r=0;t=60)", R"("c";q=9;qu="concurrent-requests")", {}, {}},
        {R"("c";r=3;t=60)", R"("c";q=9;qu="requests";w=60)", 3, 60s},
        // Version 7.
        {"limit=100, remaining=50, reset=5", "100;w=10", 50, 5s},
        {"remaining=0,reset=5", "", 0, 5s},
        {"limit=100, reset=5", "", {}, {}},
        // A member without what it needs is left out, the others are heeded.
        {R"("x";t=30, "y";r=-1;t=30, "z";r=1.5;t=3, "w";r="5";t=3, "v";r=5;t=-3, 17;r=5;t=3, "u";r=4;t=8)",
         "", 4, 8s},
    };
    for (const left_case& each : table) {
        const rate_hint got = structured(each.left, each.policy);
        EXPECT_EQ(got.remaining, each.remaining) << each.left;
        EXPECT_EQ(got.reset, each.reset) << each.left;
    }
}

TEST(rate_hint, takes_the_slowest_window_of_the_structured_policies) {
    const auto sustained = [](const std::string& policy) { return structured("", policy).sustained; };
    EXPECT_DOUBLE_EQ(*sustained(R"("default";q=100;w=60)"), 100.0 / 60);
    EXPECT_DOUBLE_EQ(*sustained(R"("burst";q=100;w=60,"daily";q=1000;w=86400)"), 1000.0 / 86'400);
    EXPECT_DOUBLE_EQ(*sustained(R"("bytes";q=1;w=60;qu="content-bytes", "calls";q=50;w=10)"), 5);
    EXPECT_DOUBLE_EQ(*sustained("10;w=1, 50;w=60;comment=\"fifty\", 1000;w=3600"), 1000.0 / 3600);
    for (const char* text :
         {"", "\"a\"", "\"a\";q=5", "\"a\";w=5", "\"a\";q=0;w=5", "\"a\";q=5;w=0", "\"a\";q=-5;w=5",
          "\"a\";q=5;w=-5", "\"a\";q=5;w=1.5", "\"a\";q=5;w=\"5\"", "a=5;w=5"}) {
        EXPECT_FALSE(sustained(text)) << text;
    }
}

TEST(rate_hint, takes_nothing_from_structured_fields_that_are_malformed) {
    for (const char* text : {"\"default;r=50;t=30",
                             "\"default\";r=50;t=30,",
                             "\"default\";r=50;t=30,,\"b\";r=1;t=1",
                             "\"default\";r=50;t=",
                             "\"default\";r =50;t=30",
                             "\"default\";R=50;t=30",
                             "\"default\";r=50;t=30 \"b\"",
                             "\"def\\ault\";r=50;t=30",
                             "\"d\xc3\xa9\";r=50;t=30",
                             "(\"default\");r=50;t=30",
                             "\"default\";r=1234567890123456;t=30",
                             "\"default\";r=--5;t=30",
                             "\"default\";r=5.;t=30",
                             "\"default\";pk=:abc;r=5;t=30",
                             "\"default\";x=?2;r=5;t=30",
                             "\"default\";x=@1.5;r=5;t=30",
                             ";r=5;t=30",
                             ",",
                             "=",
                             "limit=100, remaining=50, reset=",
                             "\xff"}) {
        EXPECT_TRUE(structured(text, text).empty()) << text;
        EXPECT_FALSE(structured(text).remaining) << text;
    }
    std::string many;
    for (int i = 0; i < 100; ++i) {
        many += "\"d\";r=1;t=1,";
    }
    EXPECT_FALSE(structured(many + "\"d\";r=1;t=1").remaining);
}

TEST(rate_hint, prefers_the_structured_fields_and_falls_back_on_the_older_ones) {
    attempt_end end;
    end.ratelimit_limit = "100, 100;w=10";
    end.ratelimit_remaining = "7";
    end.ratelimit_reset = "8";
    end.ratelimit = R"("default";r=50;t=30)";
    end.ratelimit_policy = R"("default";q=100;w=50)";
    rate_hint got = rate_hint_of(end, wall_time(in_2026));
    EXPECT_EQ(got.remaining, 50U);
    EXPECT_EQ(got.reset, 30s);
    EXPECT_DOUBLE_EQ(*got.sustained, 2);
    end.ratelimit = end.ratelimit_policy = "!";
    got = rate_hint_of(end, wall_time(in_2026));
    EXPECT_EQ(got.remaining, 7U);
    EXPECT_EQ(got.reset, 8s);
    EXPECT_DOUBLE_EQ(*got.sustained, 10);
}

TEST(rate_hint, is_empty_where_nothing_was_said) {
    EXPECT_TRUE(hint_for("", "", "").empty());
    EXPECT_TRUE(hint_for("100", "", "").empty());
    EXPECT_TRUE(hint_for("100", "5", "").empty());
    EXPECT_FALSE(hint_for("100", "5", "1").empty());
}

} // namespace
} // namespace linkrunner::delivery
