// Outage or poison, rule by rule.
#include "delivery/breaker.hpp"

#include <gtest/gtest.h>

namespace linkrunner::delivery {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1000s};

struct breaker_test : testing::Test {
    breaker subject{{}, 32};
    breaker_test() { subject.succeeded(1, start - 2s, start - 1s); }

    // An attempt of the event, of a user of its own, that took 10 ms.
    void fail(sequence number, steady_time now, bool suspected = false, bool probe = false) {
        subject.failed({number, number, suspected, probe, false, now - 10ms}, now, 0.5);
    }
    breaker::judgement succeed(steady_time began, steady_time now) {
        return subject.succeeded(1'000'000, began, now);
    }
};

TEST_F(breaker_test, counts_a_failure_by_a_success_that_was_begun_after_it) {
    fail(1, start);
    EXPECT_EQ(succeed(start + 1ms, start + 20ms).counted, std::vector<sequence>{1});
    EXPECT_TRUE(succeed(start + 30ms, start + 40ms).counted.empty()) << "and only once";
}

TEST_F(breaker_test, counts_no_failure_by_a_success_that_was_begun_before_it) {
    fail(1, start);
    EXPECT_TRUE(succeed(start - 1ms, start + 20ms).counted.empty());
    EXPECT_EQ(succeed(start + 21ms, start + 40ms).counted, std::vector<sequence>{1}) << "it is not forgotten";
}

TEST_F(breaker_test, counts_once_what_failed_several_times_before_a_success) {
    fail(1, start);
    fail(1, start + 5s, true);
    EXPECT_EQ(succeed(start + 6s, start + 7s).counted, std::vector<sequence>{1});
    EXPECT_TRUE(succeed(start + 8s, start + 9s).counted.empty());
}

TEST_F(breaker_test, counts_no_failure_of_a_probe_of_a_held_path) {
    subject.failed({1, 1, false, false, true, start}, start + 1s, 0.5);
    EXPECT_TRUE(succeed(start + 2s, start + 3s).counted.empty());
}

TEST(breaker, counts_no_failure_from_before_the_first_success) {
    breaker subject{{}, 32};
    subject.failed({1, 1, false, false, false, start}, start + 1s, 0.5);
    EXPECT_TRUE(subject.succeeded(2, start + 2s, start + 3s).counted.empty());
}

TEST_F(breaker_test, voids_the_failures_that_made_an_outage_and_those_that_it_left_under_way) {
    for (sequence number = 1; number <= 10; ++number) {
        fail(number, start + number * 1ms);
    }
    EXPECT_TRUE(subject.open());
    EXPECT_EQ(subject.at(start + 20ms), gate::closed);
    EXPECT_EQ(subject.at(start + 1s), gate::probe);
    subject.probe_begun();
    const auto told = succeed(start + 1s, start + 1100ms);
    EXPECT_FALSE(subject.open());
    EXPECT_TRUE(told.counted.empty());
    EXPECT_TRUE(told.suspected.empty()) << "too many users for a handful of poisonous events";
    subject.failed({11, 11, false, false, false, start + 5ms}, start + 15s, 0.5); // timed out after the end
    EXPECT_TRUE(succeed(start + 16s, start + 17s).counted.empty());
}

TEST_F(breaker_test, is_not_closed_by_a_success_from_before_the_outage) {
    for (sequence number = 1; number <= 10; ++number) {
        fail(number, start);
    }
    succeed(start - 1s, start + 1s);
    EXPECT_TRUE(subject.open());
    succeed(start + 1s, start + 2s);
    EXPECT_FALSE(subject.open());
}

TEST_F(breaker_test, opens_for_suspected_events_only_when_they_are_many_and_nothing_succeeds_for_long) {
    for (sequence number = 1; number <= 60; ++number) {
        fail(number, start + number * 100ms, true);
    }
    EXPECT_FALSE(subject.open());
    fail(61, start + 31s, true);
    EXPECT_TRUE(subject.open());
    EXPECT_TRUE(subject.may_try_others());
    EXPECT_EQ(succeed(start + 32s, start + 33s).counted.size(), 61U)
        << "another got through: they are poison";
}

TEST_F(breaker_test, ramps_up_by_one_for_a_success_and_halves_for_a_failure) {
    for (sequence number = 1; number <= 10; ++number) {
        fail(number, start);
    }
    succeed(start + 1s, start + 1s);
    EXPECT_EQ(subject.in_flight_limit(), 2U);
    for (int i = 0; i < 6; ++i) {
        succeed(start + 2s, start + 2s);
    }
    EXPECT_EQ(subject.in_flight_limit(), 8U);
    fail(11, start + 3s);
    EXPECT_EQ(subject.in_flight_limit(), 4U);
}

} // namespace
} // namespace linkrunner::delivery
