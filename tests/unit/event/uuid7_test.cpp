#include "event/uuid7.hpp"

#include <gmock/gmock.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace linkrunner::event {
namespace {

using wall = std::chrono::sys_time<std::chrono::milliseconds>;
using ::testing::MatchesRegex;

class uuid7 : public testing::Test {
  protected:
    std::int64_t now_ms = 0x017F22E279B0; // 2022-02-22T19:22:22Z, the example of RFC 9562 appendix A.6
    std::mt19937_64 engine{42};
    std::uint64_t fixed = 0;
    uuid7_source seeded{[this] { return wall(std::chrono::milliseconds(now_ms)); },
                        [this] { return engine(); }};
    uuid7_source plain{[this] { return wall(std::chrono::milliseconds(now_ms)); }, [this] { return fixed; }};
};

TEST_F(uuid7, carries_time_version_counter_variant_and_random_bits) {
    EXPECT_EQ(plain.make(), "017f22e2-79b0-7000-8000-000000000000");
    EXPECT_EQ(plain.make(), "017f22e2-79b0-7001-8000-000000000000");
    fixed = ~std::uint64_t{0};
    ++now_ms;
    EXPECT_EQ(plain.make(), "017f22e2-79b1-77ff-bfff-ffffffffffff");
}

TEST_F(uuid7, has_the_form_of_a_version_7_uuid) {
    for (int i = 0; i < 1000; ++i) {
        now_ms += i % 3;
        EXPECT_THAT(seeded.make(),
                    MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    }
}

TEST_F(uuid7, ids_are_unique_and_in_order_even_in_one_millisecond) {
    std::string last;
    for (int i = 0; i < 20'000; ++i) {
        std::string id = seeded.make();
        ASSERT_LT(last, id);
        last = std::move(id);
    }
}

TEST_F(uuid7, counter_that_runs_over_borrows_the_next_millisecond) {
    fixed = 0x7FF;
    for (int i = 0; i < 0x800; ++i) {
        plain.make();
    }
    EXPECT_EQ(plain.make().substr(0, 18), "017f22e2-79b0-7fff");
    EXPECT_EQ(plain.make().substr(0, 18), "017f22e2-79b1-77ff");
    now_ms += 1; // the clock catches up: the borrowed millisecond goes on
    EXPECT_EQ(plain.make().substr(0, 18), "017f22e2-79b1-7800");
    now_ms += 1;
    EXPECT_EQ(plain.make().substr(0, 18), "017f22e2-79b2-77ff");
}

TEST_F(uuid7, clock_that_goes_back_keeps_the_last_time) {
    const std::string before = seeded.make();
    now_ms -= 3'600'000;
    std::string last = before;
    for (int i = 0; i < 5000; ++i) {
        std::string id = seeded.make();
        ASSERT_LT(last, id);
        last = std::move(id);
    }
    EXPECT_EQ(before.substr(0, 12), last.substr(0, 12));
}

TEST_F(uuid7, clock_before_1970_does_no_harm) {
    now_ms = -1;
    EXPECT_EQ(plain.make().substr(0, 14), "00000000-0000-");
}

} // namespace
} // namespace linkrunner::event
