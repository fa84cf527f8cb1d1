#include "sandbox/rate_limit.hpp"

#include "sandbox/control.hpp"

#include <gtest/gtest.h>

namespace linkrunner::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr steady_time start{seconds(1000)};

int passed(rate_limit& limit, steady_time from, milliseconds gap, int count) {
    int out = 0;
    for (int i = 0; i < count; ++i) {
        out += limit.refuse(from + gap * i) ? 0 : 1;
    }
    return out;
}

TEST(rate_limit, lets_everything_through_when_there_is_none) {
    rate_limit limit({});
    EXPECT_EQ(passed(limit, start, milliseconds(0), 1000), 1000);
}

TEST(rate_limit, of_a_bucket_gives_the_burst_at_once_and_then_the_rate) {
    rate_limit limit({10, 5, rate_kind::bucket});
    EXPECT_EQ(passed(limit, start, milliseconds(0), 20), 5);
    EXPECT_EQ(limit.refuse(start), milliseconds(100));
    EXPECT_EQ(passed(limit, start + milliseconds(100), milliseconds(100), 20), 20);
}

TEST(rate_limit, of_a_bucket_takes_a_client_that_is_exactly_on_time) {
    rate_limit limit({30, 1, rate_kind::bucket});
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
        refused += limit.refuse(start + std::chrono::nanoseconds(1'000'000'000LL * i / 30)) ? 1 : 0;
    }
    EXPECT_EQ(refused, 0);
}

TEST(rate_limit, of_a_fixed_window_begins_anew_with_each_second) {
    rate_limit limit({3, 1, rate_kind::window});
    EXPECT_EQ(passed(limit, start + milliseconds(900), milliseconds(0), 10), 3);
    EXPECT_EQ(limit.refuse(start + milliseconds(900)), milliseconds(100));
    EXPECT_EQ(passed(limit, start + milliseconds(1000), milliseconds(0), 10), 3);
}

TEST(rate_limit, of_a_sliding_second_never_lets_more_through_in_any_second) {
    rate_limit limit({3, 1, rate_kind::sliding});
    EXPECT_EQ(passed(limit, start + milliseconds(900), milliseconds(0), 10), 3);
    EXPECT_EQ(passed(limit, start + milliseconds(1000), milliseconds(0), 10), 0);
    EXPECT_EQ(limit.refuse(start + milliseconds(1500)), milliseconds(400));
    EXPECT_EQ(passed(limit, start + milliseconds(1900), milliseconds(0), 10), 3);
}

TEST(rate_limit, is_read_from_text) {
    const auto burst = parse_rate("30/s bucket 5");
    ASSERT_TRUE(burst);
    EXPECT_EQ(burst->per_second, 30);
    EXPECT_EQ(burst->burst, 5);
    EXPECT_EQ(parse_rate("0.5/s sliding")->kind, rate_kind::sliding);
    EXPECT_EQ(parse_rate("off")->per_second, 0);
    for (const char* wrong :
         {"", "30", "30/m", "0/s", "-1/s", "30/s leaky", "30/s bucket 0", "30/s bucket x"}) {
        EXPECT_FALSE(parse_rate(wrong)) << wrong;
    }
}

TEST(peak_meter, tells_the_most_in_any_second) {
    peak_meter meter;
    for (const int at : {0, 100, 950, 1050, 1099, 1101, 3000}) {
        meter.note(start + milliseconds(at));
    }
    EXPECT_EQ(meter.most_in_a_second(), 4U); // 100 to 1099 and 950 to 1101
}

} // namespace
} // namespace linkrunner::sandbox
