// Held paths, rule by rule.
#include "delivery/hold.hpp"

#include <gtest/gtest.h>

namespace linkrunner::delivery {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1000s};

struct hold_test : testing::Test {
    hold subject{60s};

    void refuse(sequence number, steady_time now, hold_kind kind = hold_kind::unauthorized) {
        subject.refused({kind, number, number, 401}, now);
    }
};

TEST_F(hold_test, probes_once_per_interval) {
    EXPECT_EQ(subject.at(start), gate::open);
    refuse(1, start);
    EXPECT_EQ(subject.at(start + 59s), gate::closed);
    EXPECT_EQ(subject.at(start + 60s), gate::probe);
    subject.probe_begun(start + 60s, 2);
    EXPECT_EQ(subject.at(start + 300s), gate::closed) << "one at a time";
    subject.probe_ended();
    EXPECT_EQ(subject.at(start + 119s), gate::closed);
    EXPECT_EQ(subject.at(start + 120s), gate::probe);
}

TEST_F(hold_test, suspects_the_only_event_that_was_refused_when_another_gets_through) {
    refuse(1, start);
    const auto told = subject.succeeded(2, start + 60s);
    EXPECT_EQ(told.suspected, 1U);
    EXPECT_EQ(subject.kind(), hold_kind::none);
}

TEST_F(hold_test, suspects_nobody_when_two_were_refused_or_the_success_was_begun_before) {
    refuse(1, start);
    refuse(2, start + 1s);
    EXPECT_FALSE(subject.succeeded(3, start + 60s).suspected);
    refuse(4, start + 100s);
    EXPECT_FALSE(subject.succeeded(5, start + 99s).suspected);
}

TEST_F(hold_test, suspects_nobody_when_the_key_was_changed_meanwhile) {
    refuse(1, start);
    subject.key_changed(start + 5s);
    EXPECT_EQ(subject.at(start + 5s), gate::probe) << "at once";
    EXPECT_FALSE(subject.succeeded(2, start + 6s).suspected);
}

TEST_F(hold_test, counts_a_refusal_of_one_alone_by_a_success_begun_after_it) {
    subject.refused_alone(1, start);
    EXPECT_EQ(subject.kind(), hold_kind::none);
    EXPECT_TRUE(subject.succeeded(2, start - 1ms).counted.empty());
    EXPECT_EQ(subject.succeeded(3, start + 1ms).counted, std::vector<sequence>{1});
    EXPECT_TRUE(subject.succeeded(4, start + 2ms).counted.empty());
}

TEST_F(hold_test, counts_no_refusal_of_one_alone_when_others_are_refused_as_well) {
    subject.refused_alone(1, start);
    refuse(2, start + 1s);
    EXPECT_TRUE(subject.succeeded(3, start + 60s).counted.empty());
}

TEST_F(hold_test, is_rejecting_after_twenty_rejections_in_a_row) {
    for (sequence number = 1; number < 20; ++number) {
        EXPECT_FALSE(subject.rejected({hold_kind::rejecting, number, number, 400}, start));
    }
    EXPECT_TRUE(subject.rejected({hold_kind::rejecting, 20, 20, 400}, start));
    EXPECT_EQ(subject.kind(), hold_kind::rejecting);
    EXPECT_FALSE(subject.succeeded(21, start + 60s).suspected);
}

TEST_F(hold_test, counts_rejections_from_the_last_success) {
    for (sequence number = 1; number < 20; ++number) {
        subject.rejected({hold_kind::rejecting, number, number, 400}, start);
    }
    subject.succeeded(20, start);
    EXPECT_FALSE(subject.rejected({hold_kind::rejecting, 21, 21, 400}, start));
}

} // namespace
} // namespace linkrunner::delivery
