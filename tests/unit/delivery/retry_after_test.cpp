#include "delivery/retry_after.hpp"

#include "delivery/http_date.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

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

TEST(rate_hint, is_empty_where_nothing_was_said) {
    EXPECT_TRUE(hint_for("", "", "").empty());
    EXPECT_TRUE(hint_for("100", "", "").empty());
    EXPECT_TRUE(hint_for("100", "5", "").empty());
    EXPECT_FALSE(hint_for("100", "5", "1").empty());
}

} // namespace
} // namespace linkrunner::delivery
