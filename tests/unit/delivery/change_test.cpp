// Settings of delivery that change while it goes on.
#include "delivery/adaptive_rate.hpp"
#include "delivery/hold.hpp"
#include "delivery/lane_picker.hpp"
#include "delivery/token_bucket.hpp"
#include "unit/delivery/world.hpp"

#include <gtest/gtest.h>

namespace linkrunner::delivery::testing {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1000s};

TEST(a_changed_rate, that_was_never_lowered_goes_with_its_ceiling) {
    adaptive_rate rate(29, true, {});
    rate.change(100, true);
    EXPECT_DOUBLE_EQ(rate.rate(start), 100);
    rate.change(5, true);
    EXPECT_DOUBLE_EQ(rate.rate(start), 5);
}

TEST(a_changed_rate, that_was_lowered_stays_so_below_a_higher_ceiling) {
    adaptive_rate rate(29, true, {});
    rate.throttled({start, 10ms, false, true}, start);
    const double lowered = rate.rate(start);
    ASSERT_LT(lowered, 29);
    rate.change(100, true);
    EXPECT_DOUBLE_EQ(rate.rate(start), lowered);
    rate.change(5, true);
    EXPECT_DOUBLE_EQ(rate.rate(start), 5);
    rate.change(50, false);
    EXPECT_DOUBLE_EQ(rate.rate(start), 50) << "not adaptive: as it is set";
}

TEST(a_changed_burst, takes_away_what_is_beyond_it) {
    token_bucket bucket(10, 5, start);
    bucket.set_burst(2, start + 1s);
    EXPECT_TRUE(bucket.take(start + 1s));
    EXPECT_TRUE(bucket.take(start + 1s));
    EXPECT_FALSE(bucket.take(start + 1s));
    bucket.set_burst(3, start + 1s);
    EXPECT_FALSE(bucket.take(start + 1s)) << "more room is no token";
}

TEST(a_changed_probe_interval, brings_the_next_probe_nearer_but_never_delays_it) {
    hold held(1h);
    held.refused({hold_kind::suspended, 1, 1, 402}, start);
    held.set_probe_interval(60s, start + 10s);
    EXPECT_EQ(held.next_probe(), start + 70s);
    held.set_probe_interval(2h, start + 20s);
    EXPECT_EQ(held.next_probe(), start + 70s);
}

TEST(changed_weights, share_anew_from_then_on) {
    lane_picker picker({1, 1});
    picker.set_weights({3, 1});
    int first = 0;
    for (int i = 0; i < 400; ++i) {
        const auto lane = picker.pick(3);
        ASSERT_TRUE(lane);
        picker.charge(*lane);
        first += *lane == 0 ? 1 : 0;
    }
    EXPECT_NEAR(first, 300, 4);
}

TEST(a_changed_scheduler, keeps_to_the_new_rate_over_every_window_and_delivers_all) {
    settings options;
    options.rate_per_second = 10;
    world w(options, 7, [](const auto&, auto) { return answered(200); });
    for (std::uint64_t i = 0; i < 2000; ++i) {
        w.accept(i, 1);
    }
    w.accepted();
    w.run_for(10s);
    const auto before = w.attempts.size();
    EXPECT_NEAR(static_cast<double>(before), 100, 3);
    options.rate_per_second = 100;
    options.max_in_flight = 8;
    w.delivery().change(options, w.now());
    w.run_for(10s);
    EXPECT_NEAR(static_cast<double>(w.attempts.size() - before), 1000, 15);
    options.rate_per_second = 5;
    w.delivery().change(options, w.now());
    const auto then = w.attempts.size();
    w.run_for(10s);
    EXPECT_LE(w.attempts.size() - then, 51U);
    options.rate_per_second = 1000;
    w.delivery().change(options, w.now());
    ASSERT_TRUE(w.run_until_empty(1min));
    EXPECT_EQ(w.count_of("delivered"), 2000U);
}

} // namespace
} // namespace linkrunner::delivery::testing
