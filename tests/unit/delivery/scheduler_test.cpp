// Rules of the scheduler as a whole, one by one.
#include "unit/delivery/world.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

namespace linkrunner::delivery::testing {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1000s};

void accept_many(world& w, std::uint64_t count, std::uint8_t lane = 1) {
    for (std::uint64_t i = 0; i < count; ++i) {
        w.accept(i, lane);
    }
    w.accepted();
}

TEST(scheduler, buries_what_is_too_old_without_sending_it) {
    settings options;
    options.max_age = 60s;
    world w(options, 1, [](const auto&, auto) { return answered(200); });
    w.delivery().pause(true); // which does not count, so:
    w.wall_offset -= 2h;
    accept_many(w, 100);
    w.wall_offset += 2h;
    w.restart();
    w.run_for(10s);
    EXPECT_EQ(w.count_of("age"), 100U);
    EXPECT_TRUE(w.attempts.empty());
}

TEST(scheduler, buries_an_event_by_its_own_max_age_where_it_has_one) {
    for (const auto all :
         {std::optional<std::chrono::milliseconds>(60s), std::optional<std::chrono::milliseconds>()}) {
        settings options;
        options.max_age = all;
        world w(options, 1, [](const auto&, auto) { return answered(200); });
        w.wall_offset -= 2h;
        accept_many(w, 90);
        for (sequence number = 1; number <= 30; ++number) {
            w.event(number).what.max_age = 1h;
            w.event(number + 30).what.max_age = 3h;
            w.event(number + 60).what.max_age = age_off;
        }
        w.wall_offset += 2h;
        w.restart();
        w.run_for(20s);
        EXPECT_EQ(w.count_of("age"), 30U);
        EXPECT_EQ(w.count_of("delivered"), 60U);
        EXPECT_EQ(w.event(1).end, "age");
    }
}

TEST(scheduler, does_not_age_events_while_their_path_is_held_or_the_upstream_is_out) {
    for (const int status : {401, 503}) {
        settings options;
        options.max_age = 5min;
        options.hold_probe = 10s;
        world w(options, 2,
                [status](const auto&, steady_time at) { return answered(at < start + 2h ? status : 200); });
        accept_many(w, 200);
        ASSERT_TRUE(w.run_until_empty(3h));
        EXPECT_EQ(w.count_of("delivered"), 200U) << status;
    }
}

TEST(scheduler, lets_nothing_expire_by_a_wall_clock_that_jumps) {
    for (const auto jump : {std::chrono::hours(30), std::chrono::hours(-30)}) {
        settings options;
        options.max_age = 1h;
        world w(options, 3, [](const auto&, auto) { return answered(200); });
        accept_many(w, 600);
        w.run_for(5s);
        w.wall_offset += jump;
        w.run_for(5s);
        EXPECT_FALSE(w.delivery().look(w.now()).expiry_note.empty());
        w.accept(1'000'000);
        w.accepted();
        ASSERT_TRUE(w.run_until_empty(1min));
        EXPECT_EQ(w.count_of("delivered"), 601U);
        w.wall_offset -= jump;
        w.accept(1'000'001);
        w.accepted();
        w.run_for(1s);
        EXPECT_EQ(w.delivery().look(w.now()).expiry_note.empty(), jump < 0h)
            << "after a jump ahead the clock stands behind the newest event, until it is there again";
    }
}

TEST(scheduler, has_the_word_of_the_contract_for_each_state) {
    const std::pair<upstream_state, const char*> words[] = {
        {upstream_state::healthy, "healthy"},
        {upstream_state::throttled, "throttled"},
        {upstream_state::outage, "outage"},
        {upstream_state::held_unauthorized, "held_unauthorized"},
        {upstream_state::held_suspended, "held_suspended"},
        {upstream_state::held_misconfigured, "held_misconfigured"},
        {upstream_state::held_rejecting, "held_rejecting"},
        {upstream_state::paused, "paused"},
        {upstream_state::draining, "draining"}};
    for (const auto& [state, word] : words) {
        EXPECT_STREQ(word_for(state), word);
        EXPECT_EQ(is_held(state), std::string_view(word).starts_with("held_"));
    }
}

TEST(scheduler, keeps_an_event_that_could_not_be_sent_for_a_second) {
    world w({}, 4, [](const auto&, auto) { return answered(200); });
    w.refuse_to_send = true;
    accept_many(w, 1);
    w.run_for(500ms);
    EXPECT_TRUE(w.attempts.empty());
    w.refuse_to_send = false;
    w.run_for(1s);
    EXPECT_EQ(w.count_of("delivered"), 1U);
}

TEST(scheduler, buries_an_event_that_was_being_sent_in_a_crash_where_that_is_the_choice) {
    world w({}, 5, [](const auto&, auto) { return answered(200, 1s); });
    w.accept(1, 1, true);
    w.accept(2, 1, false);
    w.accepted();
    w.run_for(500ms); // both are under way
    ASSERT_EQ(w.attempts.size(), 2U);
    w.restart();
    w.run_for(5s);
    EXPECT_EQ(w.event(1).end, "ambiguous");
    EXPECT_EQ(w.event(2).end, "delivered");
    EXPECT_EQ(w.event(1).sent, 1U);
}

TEST(scheduler, buries_ambiguous_attempts_of_events_that_want_it_and_only_those) {
    for (const int status : {0, 500, 502, 504, 503, 429}) {
        settings options;
        options.max_attempts = 1'000;
        world w(options, 6, [status](const stored_event& one, auto) {
            return one.sent > 1 ? answered(200) : status == 0 ? no_answer(true) : answered(status);
        });
        w.accept(1, 1, true);
        w.accept(2, 1, false);
        w.accepted();
        w.run_for(10min);
        const bool ambiguous = status != 503 && status != 429;
        EXPECT_EQ(w.event(1).end, ambiguous ? "ambiguous" : "delivered") << status;
        EXPECT_EQ(w.event(2).end, "delivered") << status;
    }
}

TEST(scheduler, does_not_take_a_request_cut_before_its_end_for_ambiguous) {
    world w({}, 7,
            [](const stored_event& one, auto) { return one.sent > 1 ? answered(200) : no_answer(false); });
    w.accept(1, 1, true);
    w.accepted();
    w.run_for(1min);
    EXPECT_EQ(w.event(1).end, "delivered");
}

TEST(scheduler, forecasts_nothing_while_nothing_goes_and_the_end_of_a_pause_as_well) {
    int status = 200;
    world w({}, 8, [&](const auto&, auto) {
        answer out = answered(status);
        out.end.retry_after = status == 429 ? "100" : "";
        return out;
    });
    const std::vector<std::uint64_t> pending = {0, 290};
    ASSERT_TRUE(w.delivery().forecast(1, pending, w.now()));
    EXPECT_NEAR(static_cast<double>(w.delivery().forecast(1, pending, w.now())->count()), 10'000, 1);
    w.delivery().pause(true);
    EXPECT_FALSE(w.delivery().forecast(1, pending, w.now()));
    w.delivery().pause(false);
    status = 429;
    accept_many(w, 1);
    w.run_for(1s);
    ASSERT_TRUE(w.delivery().forecast(1, pending, w.now()));
    EXPECT_GT(*w.delivery().forecast(1, pending, w.now()), 100s);
    EXPECT_LT(*w.delivery().forecast(1, pending, w.now()), 120s);
    status = 401;
    w.run_for(200s);
    EXPECT_FALSE(w.delivery().forecast(1, pending, w.now())) << "held";
}

TEST(scheduler, keeps_an_eighth_of_the_slots_for_other_lanes_than_the_busiest) {
    settings options;
    options.rate_per_second = 1'000;
    world w(options, 9, [](const auto&, auto) { return answered(200, 60s); });
    accept_many(w, 500);
    w.run_for(5s);
    EXPECT_EQ(w.delivery().look(w.now()).in_flight, 28U);
    const sequence other = w.accept(1'000'000, 0);
    w.accepted();
    w.run_for(100ms);
    EXPECT_EQ(w.event(other).sent, 1U);
}

TEST(scheduler, forgets_an_event_that_was_dropped_and_goes_on_with_the_users_next) {
    world w({}, 10, [](const auto&, auto) { return answered(200); });
    w.delivery().pause(true);
    w.accept(1);
    w.accept(1);
    w.accepted();
    w.run_for(1s);
    w.drop(1);
    w.delivery().pause(false);
    w.pump();
    w.run_for(1s);
    EXPECT_EQ(w.event(1).sent, 0U);
    EXPECT_EQ(w.event(2).end, "delivered");
}

TEST(scheduler, asks_for_no_more_than_it_needs_while_draining) {
    settings options;
    options.max_in_flight = 4;
    const auto made = scheduler::make(options, [] { return 0.5; }, start);
    EXPECT_EQ(made->wanted(1)->count, options.window);
    const auto draining = scheduler::make(options, [] { return 0.5; }, start);
    draining->drain();
    EXPECT_LE(draining->wanted(1)->count, 64U);
    EXPECT_EQ(draining->look(start).state, upstream_state::draining);
}

TEST(scheduler, waits_for_the_reset_of_a_limit_of_which_nothing_remains) {
    for (const auto& [said, by_list] : {std::pair{200, false}, {429, false}, {200, true}, {429, true}}) {
        bool told = false;
        world w({}, 11, [&, status = said, structured = by_list](const auto&, auto) {
            if (std::exchange(told, true)) {
                return answered(200, 10ms);
            }
            answer out = answered(status, 10ms);
            if (structured) {
                out.end.ratelimit = "\"default\";r=0;t=20";
                return out;
            }
            out.end.ratelimit_limit = "30";
            out.end.ratelimit_remaining = "0";
            out.end.ratelimit_reset = "20";
            return out;
        });
        accept_many(w, 100);
        w.run_for(60s);
        ASSERT_GE(w.attempts.size(), 3U);
        EXPECT_GE(w.attempts[1].at - w.attempts[0].at, 20s) << said;
        EXPECT_TRUE(w.attempts[1].probe);
    }
}

TEST(scheduler, is_slowed_by_an_absurd_limit_in_one_answer_for_no_longer_than_any_pause) {
    for (const char* policy : {"\"a\";q=1;w=999999999999999", "\"a\";q=1000;w=86400"}) {
        bool told = false;
        world w({}, 11, [&](const auto&, auto) {
            answer out = answered(200, 10ms);
            if (!std::exchange(told, true)) {
                out.end.ratelimit_policy = policy;
                out.end.ratelimit = "\"a\";r=2;t=999999999999999";
            }
            return out;
        });
        accept_many(w, 500);
        w.run_for(9min);
        EXPECT_LE(w.attempts.size(), 12U) << policy;
        w.run_for(90s);
        EXPECT_EQ(w.count_of("delivered"), 500U) << policy;
    }
}

} // namespace
} // namespace linkrunner::delivery::testing
