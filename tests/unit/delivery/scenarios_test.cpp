// What delivery does in the situations that it is made for, on virtual time.
#include "unit/delivery/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace linkrunner::delivery::testing {
namespace {

using namespace std::chrono_literals;

std::size_t attempts_between(const world& in, steady_time from, steady_time to) {
    return static_cast<std::size_t>(std::ranges::count_if(
        in.attempts, [&](const attempt_record& one) { return one.at >= from && one.at < to; }));
}

double seconds_of(std::chrono::nanoseconds span) {
    return std::chrono::duration<double>(span).count();
}

TEST(scenario, all_tokens_are_used_with_a_full_queue_and_no_window_is_above_the_bound) {
    settings options;
    options.rate_per_second = 30;
    world w(options, 1, [](const auto&, auto) { return answered(200, 80ms); });
    for (std::uint64_t i = 0; i < 4000; ++i) {
        w.accept(i);
    }
    w.accepted();
    const steady_time start = w.now();
    w.run_for(60s);
    const std::size_t sent = attempts_between(w, start, start + 60s);
    EXPECT_GE(sent, 1799U);
    EXPECT_LE(sent, 1801U);
    w.check_rate(30, 1);
    RecordProperty("attempts_in_60_s_at_30_per_s", static_cast<int>(sent));
}

TEST(scenario, an_hour_of_outage_costs_few_probes_and_no_attempts_and_full_rate_is_back_in_seconds) {
    constexpr std::uint64_t events = 300'000;
    settings options;
    options.max_attempts = 3;
    const steady_time begin = steady_time(1000s) + 60s;
    const steady_time end = begin + 1h;
    world w(options, 2, [&](const auto&, steady_time at) {
        return at >= begin && at < end ? answered(503, 30ms) : answered(200, 50ms);
    });
    for (std::uint64_t i = 0; i < events; ++i) {
        w.accept(i);
    }
    w.accepted();
    w.run_for(end - w.now());
    const std::size_t in_outage = attempts_between(w, begin, end);
    EXPECT_EQ(w.delivery().look(w.now()).state, upstream_state::outage);
    EXPECT_LE(in_outage, 300U);
    EXPECT_GE(in_outage, 100U);
    w.run_for(40s);
    const std::size_t first = attempts_between(w, end, end + 30s);
    const auto success = std::ranges::find_if(
        w.attempts, [&](const attempt_record& one) { return one.at >= end && one.status == 200; });
    ASSERT_NE(success, w.attempts.end());
    EXPECT_LE(success->at - end, 30s);
    const std::size_t soon = attempts_between(w, success->at + 1s, success->at + 3s);
    EXPECT_GE(soon, 57U) << "full rate a second after the first success";
    EXPECT_GT(first, 0U);
    EXPECT_EQ(w.count_of("attempts"), 0U);
    w.check_rate(29, 1);
    RecordProperty("attempts_in_outage", static_cast<int>(in_outage));
}

TEST(scenario, a_single_event_survives_an_hour_of_outage_and_goes_out_soon_after) {
    settings options;
    options.max_attempts = 2;
    const steady_time end = steady_time(1000s) + 1h;
    world w(options, 3,
            [&](const auto&, steady_time at) { return at < end ? no_answer(true, 15s) : answered(200); });
    w.accept(7);
    w.accepted();
    w.run_for(end - w.now());
    EXPECT_EQ(w.pending(), 1U);
    EXPECT_LE(w.attempts.size(), 200U);
    ASSERT_TRUE(w.run_until_empty(1min));
    EXPECT_LE(w.event(1).ended_at - end, 50s);
    EXPECT_EQ(w.event(1).end, "delivered");
}

TEST(scenario, a_poisonous_event_among_good_ones_dies_after_max_attempts_and_delays_only_its_user) {
    settings options;
    options.max_attempts = 20;
    options.backoff_max = 10s;
    world w(options, 4,
            [](const stored_event& one, auto) { return answered(one.what.number == 100 ? 500 : 200, 50ms); });
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        w.accept(i % 1000);
    }
    w.accepted();
    ASSERT_TRUE(w.run_until_empty(24h));
    EXPECT_EQ(w.event(100).end, "attempts");
    EXPECT_GE(w.event(100).sent, 20U);
    EXPECT_LE(w.event(100).sent, 22U) << "one may be under way when the last failure is confirmed";
    EXPECT_EQ(w.count_of("delivered"), 9'999U);
    // What came after it by the same user waited, nobody else did.
    for (sequence number = 101; number <= 3000; ++number) {
        const double fair = static_cast<double>(number) / 29 + 10;
        if (w.event(number).what.user_key == 99) {
            EXPECT_GT(w.event(number).ended_at, w.event(100).ended_at);
        } else {
            ASSERT_LT(seconds_of(w.event(number).ended_at - steady_time(1000s)), fair) << number;
        }
    }
}

// An event every minute, each of another user.
void trickle(world& w, int count) {
    for (int i = 0; i < count; ++i) {
        w.after(i * 60s, [&w, i] {
            w.accept(1'000'000 + static_cast<std::uint64_t>(i));
            w.accepted();
        });
    }
}

TEST(scenario, a_poisonous_event_that_is_left_over_dies_by_what_comes_later) {
    settings options;
    options.max_attempts = 5;
    world w(options, 5,
            [](const stored_event& one, auto) { return answered(one.what.user_key == 3 ? 500 : 200); });
    for (std::uint64_t i = 0; i < 20; ++i) {
        w.accept(i);
    }
    w.accepted();
    w.run_for(6h);
    EXPECT_EQ(w.pending(), 1U) << "while nothing succeeds it might be an outage";
    EXPECT_LE(w.event(4).sent, 200U);
    trickle(w, 60);
    w.run_for(1h);
    EXPECT_EQ(w.event(4).end, "attempts");
}

TEST(scenario, an_outage_takes_no_attempt_from_events_that_have_failed_before) {
    settings options;
    options.max_attempts = 2;
    const steady_time begin = steady_time(1000s) + 60s;
    const steady_time end = begin + 1h;
    world w(options, 14, [&](const stored_event& one, steady_time at) {
        const bool once = one.sent == 1 && one.what.number % 3 == 0; // every third fails at its first attempt
        return (at >= begin && at < end) || once ? answered(500, 30ms) : answered(200, 50ms);
    });
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        w.accept(i);
    }
    w.accepted();
    ASSERT_TRUE(w.run_until_empty(3h));
    EXPECT_EQ(w.count_of("delivered"), 3'000U);
}

TEST(scenario, requests_that_hang_from_an_outage_into_good_times_cost_no_attempts) {
    settings options;
    options.max_attempts = 1;
    const steady_time begin = steady_time(1000s) + 10s;
    world w(options, 15, [&](const stored_event& one, steady_time at) {
        if (at < begin || at >= begin + 4s) {
            return answered(200, 40ms);
        }
        return one.what.number % 2 == 0 ? no_answer(true, 15s) : answered(503, 10ms);
    });
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        w.accept(i);
    }
    w.accepted();
    ASSERT_TRUE(w.run_until_empty(1h));
    EXPECT_EQ(w.count_of("delivered"), 3'000U);
}

TEST(scenario, connections_that_were_closed_while_idle_are_no_failure_of_anything) {
    settings options;
    options.max_attempts = 1;
    world w(options, 18, [](const stored_event& one, auto) {
        answer out = one.sent == 1 ? no_answer(true, 1ms) : answered(200);
        out.end.stale = one.sent == 1;
        return out;
    });
    for (std::uint64_t i = 0; i < 60; ++i) {
        w.accept(i);
    }
    w.accepted();
    w.run_for(5s);
    EXPECT_EQ(w.count_of("delivered"), 60U) << "two tokens each, and no wait besides";
}

TEST(scenario, a_connection_that_is_closed_again_and_again_is_a_failure) {
    settings options;
    world w(options, 19, [](const auto&, auto) {
        answer out = no_answer(true, 1ms);
        out.end.stale = true;
        return out;
    });
    for (std::uint64_t i = 0; i < 1000; ++i) {
        w.accept(i);
    }
    w.accepted();
    w.run_for(60s);
    EXPECT_EQ(w.delivery().look(w.now()).state, upstream_state::outage);
    EXPECT_LT(w.attempts.size(), 120U);
}

TEST(scenario, a_payload_that_a_firewall_dislikes_stops_the_rest_for_one_probe_only) {
    settings options;
    options.max_attempts = 4;
    options.hold_probe = 10s;
    world w(options, 16,
            [](const stored_event& one, auto) { return answered(one.what.number == 50 ? 403 : 200); });
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        w.accept(i);
    }
    w.accepted();
    const steady_time start = w.now();
    ASSERT_TRUE(w.run_until_empty(1h));
    EXPECT_EQ(w.event(50).end, "attempts");
    EXPECT_EQ(w.count_of("delivered"), 2'999U);
    EXPECT_LT(seconds_of(w.event(3'000).ended_at - start), 3'000 / 29.0 + 15);
}

TEST(scenario, two_spells_of_a_refused_key_cost_no_event_an_attempt) {
    settings options;
    options.max_attempts = 1;
    options.hold_probe = 5s;
    const steady_time start(1000s);
    world w(options, 17, [&](const auto&, steady_time at) {
        const auto since = at - start;
        const bool refused = (since > 5s && since < 30s) || (since > 40s && since < 70s);
        return answered(refused ? 401 : 200, 300ms);
    });
    for (std::uint64_t i = 0; i < 2'000; ++i) {
        w.accept(i);
    }
    w.accepted();
    ASSERT_TRUE(w.run_until_empty(1h));
    EXPECT_EQ(w.count_of("delivered"), 2'000U);
}

TEST(scenario, a_hundred_poisonous_events_at_the_front_do_not_look_like_an_outage) {
    settings options;
    world w(options, 6,
            [](const stored_event& one, auto) { return answered(one.what.number <= 100 ? 500 : 200, 50ms); });
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        w.accept(i);
    }
    w.accepted();
    const steady_time start = w.now();
    while (w.count_of("delivered") < 2'900 && w.now() < start + 1h) {
        w.run_for(1s);
    }
    // 2,900 good ones and 100 bad ones tried a dozen times at 29/s.
    EXPECT_LT(seconds_of(w.now() - start), 200);
    trickle(w, 300);
    w.run_for(6h);
    EXPECT_EQ(w.count_of("attempts"), 100U);
    EXPECT_EQ(w.pending(), 0U);
}

TEST(scenario, a_lone_poisonous_event_does_not_delay_a_trickle_of_others) {
    settings options;
    world w(options, 7,
            [](const stored_event& one, auto) { return answered(one.what.user_key == 1 ? 500 : 200, 50ms); });
    w.accept(1);
    w.accepted();
    for (int i = 0; i < 200; ++i) {
        w.after(i * 17s + 9s, [&w, i] {
            w.accept(static_cast<std::uint64_t>(1000 + i));
            w.accepted();
        });
    }
    w.run_for(2h);
    EXPECT_EQ(w.pending(), 0U);
    EXPECT_EQ(w.event(1).end, "attempts");
    std::chrono::nanoseconds longest{0};
    for (sequence number = 2; number <= 201; ++number) {
        const auto accepted = w.event(number).what.accepted_at.time_since_epoch() - w.wall_offset;
        longest = std::max(longest,
                           std::chrono::nanoseconds(w.event(number).ended_at.time_since_epoch() - accepted));
    }
    EXPECT_LT(longest, 1s);
}

TEST(scenario, a_wrong_key_for_ten_minutes_costs_a_probe_a_minute_and_nothing_else) {
    settings options;
    options.max_attempts = 1;
    bool good = false;
    world w(options, 8, [&](const auto&, auto) { return answered(good ? 200 : 401); });
    for (std::uint64_t i = 0; i < 1'000; ++i) {
        w.accept(i);
    }
    w.accepted();
    w.run_for(1s);
    EXPECT_EQ(w.delivery().look(w.now()).state, upstream_state::held_unauthorized);
    const std::size_t before = w.attempts.size();
    w.run_for(10min);
    const std::size_t probes = w.attempts.size() - before;
    EXPECT_GE(probes, 9U);
    EXPECT_LE(probes, 11U);
    std::set<sequence> different;
    for (std::size_t i = before; i < w.attempts.size(); ++i) {
        EXPECT_TRUE(w.attempts[i].probe);
        different.insert(w.attempts[i].number);
    }
    EXPECT_GE(different.size(), probes - 1);
    good = true;
    w.delivery().key_changed(w.now());
    const steady_time changed = w.now();
    w.pump();
    w.run_for(200ms);
    EXPECT_GT(attempts_between(w, changed, w.now()), 2U);
    ASSERT_TRUE(w.run_until_empty(2min));
    EXPECT_EQ(w.count_of("delivered"), 1'000U);
}

TEST(scenario, a_429_with_retry_after_means_nothing_before_its_end_and_one_probe_after) {
    settings options;
    std::vector<steady_time> told;
    const steady_time begin = steady_time(1000s) + 3s;
    world w(options, 9, [&](const auto&, steady_time at) {
        if (at >= begin && at < begin + 12s) {
            answer out = answered(429, 100ms);
            out.end.retry_after = "5";
            told.push_back(at + 100ms);
            return out;
        }
        return answered(200, 100ms);
    });
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        w.accept(i);
    }
    w.accepted();
    ASSERT_TRUE(w.run_until_empty(10min));
    ASSERT_GE(told.size(), 3U);
    const steady_time first = told.front();
    EXPECT_EQ(attempts_between(w, first + 1ns, first + 5s), 0U);
    const auto probe =
        std::ranges::find_if(w.attempts, [&](const auto& one) { return one.at >= first + 5s; });
    EXPECT_TRUE(probe->probe);
    EXPECT_LE(probe->at - (first + 5s), 101ms) << "the last 429 of those under way told the latest end";
    EXPECT_EQ(attempts_between(w, probe->at + 1ns, probe->at + 100ms), 0U);
    for (sequence number = 1; number <= 3'000; ++number) {
        ASSERT_EQ(w.event(number).end, "delivered");
    }
}

class one_user : public ::testing::TestWithParam<std::chrono::milliseconds> {};

TEST_P(one_user, with_a_million_waiting_events_delays_others_by_less_than_a_second) {
    constexpr std::uint64_t events = 1'000'000;
    settings options;
    options.rate_per_second = 29;
    world w(options, 10, [](const auto&, auto) { return answered(200, GetParam()); });
    w.check_order = false;
    for (std::uint64_t i = 0; i < events; ++i) {
        w.accept(1);
    }
    w.accepted();
    w.run_for(10s);
    std::vector<sequence> others;
    for (std::uint64_t i = 0; i < 50; ++i) {
        w.after(i * 700ms, [&, i] {
            others.push_back(w.accept(2 + i));
            w.accepted();
        });
    }
    w.run_for(60s);
    ASSERT_EQ(others.size(), 50U);
    for (const sequence number : others) {
        const auto accepted = w.event(number).what.accepted_at.time_since_epoch() - w.wall_offset;
        ASSERT_EQ(w.event(number).end, "delivered");
        EXPECT_LT(w.event(number).ended_at.time_since_epoch() - accepted, 1s);
    }
    // The user itself gets one at a time, without a gap.
    EXPECT_GT(w.count_of("delivered"), 1'100U);
    EXPECT_LT(w.offered, events + events / 100) << "what was passed over is not read over and over";
}

INSTANTIATE_TEST_SUITE_P(whatever_the_time_of_an_answer, one_user, ::testing::Values(1ms, 50ms));

TEST(scenario, users_take_turns_however_many_events_each_has_waiting) {
    settings options;
    options.rate_per_second = 29;
    world w(options, 10, [](const auto&, auto) { return answered(200, 1ms); });
    for (std::uint64_t i = 0; i < 5'000; ++i) {
        w.accept(1);
    }
    for (std::uint64_t i = 0; i < 500; ++i) {
        w.accept(2 + i);
    }
    w.accepted();
    w.run_for(30s); // 870 tokens
    std::size_t others = 0;
    for (sequence number = 5'001; number <= 5'500; ++number) {
        others += w.event(number).end == "delivered" ? 1 : 0;
    }
    EXPECT_EQ(others, 500U);
    EXPECT_GT(w.count_of("delivered"), 850U);
}

TEST(scenario, a_purchase_behind_a_backlog_of_hours_is_on_its_way_within_a_second) {
    settings options;
    world w(options, 11, [](const auto&, auto) { return answered(200, 5s); }); // and a slow upstream
    w.check_order = false;
    for (std::uint64_t i = 0; i < 300'000; ++i) {
        w.accept(i);
    }
    w.accepted();
    w.run_for(1min);
    const sequence purchase = w.accept(5, 0);
    const steady_time accepted = w.now();
    w.accepted();
    w.run_for(10s);
    EXPECT_LT(w.event(purchase).first_sent - accepted, 1s);
    EXPECT_EQ(w.event(purchase).end, "delivered");
}

TEST(scenario, lanes_share_by_weight_and_none_starves) {
    settings options;
    options.rate_per_second = 90;
    world w(options, 12, [](const auto&, auto) { return answered(200, 50ms); });
    for (std::uint64_t i = 0; i < 9'000; ++i) {
        w.accept(i, 0);
        w.accept(i, 1);
    }
    w.accepted();
    w.run_for(30s);
    std::size_t revenue = 0;
    for (const attempt_record& one : w.attempts) {
        revenue += w.event(one.number).what.lane == 0 ? 1 : 0;
    }
    const double share = static_cast<double>(revenue) / static_cast<double>(w.attempts.size());
    EXPECT_NEAR(share, 8.0 / 9, 0.01);
}

TEST(scenario, the_forecast_is_within_a_fifth_in_a_steady_state) {
    for (const auto latency : {20ms, 400ms, 3000ms}) {
        settings options;
        world w(options, 13, [latency](const auto&, auto) { return answered(200, latency); });
        for (std::uint64_t i = 0; i < 9'000; ++i) {
            w.accept(i, i % 10 == 0 ? 0 : 1);
        }
        w.accepted();
        w.run_for(30s);
        for (const std::uint8_t lane : {std::uint8_t{0}, std::uint8_t{1}}) {
            const auto wait = w.delivery().forecast(lane, w.pending_by_lane(), w.now());
            ASSERT_TRUE(wait);
            const sequence last = lane == 0 ? 8'991 : 9'000;
            const steady_time asked = w.now();
            world& copy = w;
            while (copy.event(last).end.empty()) {
                copy.run_for(100ms);
            }
            const double real = seconds_of(w.event(last).ended_at - asked);
            EXPECT_NEAR(seconds_of(*wait), real, 0.2 * real + 2) << "lane " << int(lane);
        }
    }
}

} // namespace
} // namespace linkrunner::delivery::testing
