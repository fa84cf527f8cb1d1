// Requests that carry many events (settings::events_per_request), as to another linkrunnerd.
#include "unit/delivery/world.hpp"

#include <gtest/gtest.h>

#include <map>

namespace linkrunner::delivery::testing {
namespace {

using namespace std::chrono_literals;

settings many_per_request(std::size_t most) {
    settings out;
    out.rate_per_second = 10;
    out.max_in_flight = 4 * most;
    out.window = 4 * most;
    out.events_per_request = most;
    return out;
}

void accept_many(world& w, std::uint64_t count, std::uint64_t users) {
    for (std::uint64_t i = 0; i < count; ++i) {
        w.accept(1 + i % users, 1);
    }
    w.accepted();
}

answer good(const stored_event&, steady_time) {
    return answered(200);
}

TEST(requests, carry_what_waits_and_pay_one_token_each) {
    world w(many_per_request(100), 1, good);
    accept_many(w, 1'000, 1'000);
    ASSERT_TRUE(w.run_until_empty(5s));
    EXPECT_EQ(w.largest_request, 100U);
    EXPECT_LE(w.attempts.size(), 12U);
    w.check_rate(10, 1);
}

TEST(requests, carry_many_events_of_one_user_in_their_order) {
    world w(many_per_request(100), 1, good);
    accept_many(w, 2'000, 1);
    ASSERT_TRUE(w.run_until_empty(5s));
    EXPECT_EQ(w.largest_request, 100U);
    EXPECT_LE(w.attempts.size(), 30U);
}

TEST(requests, hold_one_event_where_nothing_is_said_of_many) {
    settings options = many_per_request(100);
    options.events_per_request = 1;
    world w(options, 1, good);
    accept_many(w, 20, 20);
    ASSERT_TRUE(w.run_until_empty(5s));
    EXPECT_EQ(w.largest_request, 1U);
    EXPECT_EQ(w.attempts.size(), 20U);
}

TEST(requests, keep_the_order_of_a_user_when_they_fail_as_a_whole) {
    int requests = 0;
    steady_time last{};
    world w(many_per_request(50), 1, [&](const auto&, steady_time at) {
        requests += at != last ? 1 : 0;
        last = at;
        return requests % 3 == 0 ? no_answer(true) : answered(200);
    });
    accept_many(w, 2'000, 7);
    ASSERT_TRUE(w.run_until_empty(1h)); // the world checks the order
    EXPECT_EQ(w.count_of("delivered"), 2'000U);
}

TEST(requests, are_halved_when_one_event_may_be_why_they_are_refused_and_that_one_dies_alone) {
    world w(many_per_request(64), 1,
            [](const stored_event& one, steady_time) { return answered(one.what.number == 77 ? 413 : 200); });
    accept_many(w, 500, 500);
    ASSERT_TRUE(w.run_until_empty(10min));
    EXPECT_EQ(w.count_of("delivered"), 499U);
    EXPECT_EQ(w.event(77).end, "rejected");
    EXPECT_GE(w.refused_together, 3U);
    EXPECT_LE(w.refused_together, 30U);
}

TEST(requests, hold_a_probe_alone_while_there_is_an_outage_and_grow_when_it_is_over) {
    const steady_time start{1000s};
    std::map<steady_time, int> sizes;
    world w(many_per_request(100), 1, [&](const auto&, steady_time at) {
        ++sizes[at];
        return at < start + 30s ? no_answer(false) : answered(200);
    });
    accept_many(w, 3'000, 3'000);
    ASSERT_TRUE(w.run_until_empty(10min));
    int failed_requests = 0;
    for (const auto& [at, size] : sizes) {
        if (at > start + 5s && at < start + 30s) {
            ++failed_requests;
            EXPECT_EQ(size, 1) << "a probe";
        }
    }
    EXPECT_GE(failed_requests, 1);
    EXPECT_LE(failed_requests, 12);
    EXPECT_EQ(w.count_of("delivered"), 3'000U);
    EXPECT_EQ(w.largest_request, 100U);
}

// What breaks every request that it is in, and says nothing about itself.
TEST(requests, leave_out_an_event_that_breaks_them) {
    settings options = many_per_request(100);
    options.max_attempts = 5;
    options.backoff_max = 2s;
    world w(options, 1, [](const stored_event& one, steady_time) {
        return one.what.number == 150 ? no_answer(true, 100ms) : answered(200);
    });
    accept_many(w, 1'000, 1'000);
    for (int i = 0; i < 600; ++i) {
        w.after(i * 1s, [&w, i] {
            w.accept(10'000 + static_cast<std::uint64_t>(i), 1);
            w.accepted();
        });
    }
    w.run_for(600s);
    ASSERT_TRUE(w.run_until_empty(1h));
    EXPECT_EQ(w.event(150).end, "attempts");
    EXPECT_EQ(w.count_of("delivered"), 1'599U) << "nothing died with it";
}

} // namespace
} // namespace linkrunner::delivery::testing
