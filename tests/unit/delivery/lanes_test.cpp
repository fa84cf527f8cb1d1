// Which lane, which event of it, which of a user's, and from where to read.
#include "delivery/lane_picker.hpp"
#include "delivery/lane_reader.hpp"
#include "delivery/ready_events.hpp"
#include "delivery/user_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>

namespace linkrunner::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using place = user_order::place;

TEST(lane_picker, serves_by_weight) {
    lane_picker one({8, 1, 3});
    std::array<int, 3> served{};
    for (int i = 0; i < 12'000; ++i) {
        const auto lane = one.pick(0b111);
        one.charge(*lane);
        ++served.at(*lane);
    }
    EXPECT_NEAR(served[0], 8'000, 2);
    EXPECT_NEAR(served[1], 1'000, 2);
    EXPECT_NEAR(served[2], 3'000, 2);
}

TEST(lane_picker, never_lets_a_lane_wait_longer_than_its_share) {
    lane_picker one({1000, 1});
    int since = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto lane = one.pick(0b11);
        one.charge(*lane);
        since = *lane == 1 ? 0 : since + 1;
        ASSERT_LE(since, 1001);
    }
}

TEST(lane_picker, gives_no_credit_for_idle_time_and_no_wait_for_it) {
    lane_picker one({1, 1});
    for (int i = 0; i < 1000; ++i) {
        one.charge(*one.pick(0b01));
    }
    std::array<int, 2> served{};
    for (int i = 0; i < 10; ++i) {
        const auto lane = one.pick(0b11);
        one.charge(*lane);
        ++served.at(*lane);
    }
    EXPECT_THAT(served, ElementsAre(5, 5));
}

TEST(lane_picker, picks_none_where_none_can_be_served) {
    lane_picker one({1, 1});
    EXPECT_FALSE(one.pick(0));
    EXPECT_EQ(one.pick(0b10), 1);
}

TEST(ready_events, names_the_first_and_goes_round) {
    ready_events one;
    EXPECT_EQ(one.add(endpoint::capture_event, 3, true, 0), 3U);
    EXPECT_EQ(one.add(endpoint::capture_event, 5, false, 0), 5U);
    EXPECT_EQ(one.add(endpoint::capture_event, 9, false, 0), 9U);
    EXPECT_EQ(one.first(all_paths), 3U);
    EXPECT_EQ(one.around(all_paths, 4), 5U);
    EXPECT_EQ(one.around(all_paths, 9), 9U);
    EXPECT_EQ(one.around(all_paths, 10), 3U);
    EXPECT_EQ(one.fresh_count(), 2U);
    EXPECT_EQ(one.failed_count(), 1U);
    EXPECT_FALSE(one.first(0));
    EXPECT_FALSE(one.any(0));
    one.remove(endpoint::capture_event, 3, true);
    one.remove(endpoint::capture_event, 5, false);
    one.remove(endpoint::capture_event, 9, false);
    EXPECT_FALSE(one.any(all_paths));
    EXPECT_FALSE(one.anywhere(all_paths, 0.5));
    EXPECT_EQ(one.fresh_count() + one.failed_count(), 0U);
}

TEST(ready_events, stand_behind_all_that_waited_before_and_keep_their_turn) {
    ready_events one;
    one.add(endpoint::capture_event, 10, false, 0);
    const auto behind = one.add(endpoint::capture_event, 2, false, 0);
    EXPECT_EQ(behind, 11U);
    EXPECT_EQ(one.add(endpoint::capture_event, 11, false, 0), 12U);
    EXPECT_EQ(one.first(all_paths), 10U);
    one.remove(endpoint::capture_event, 10, false);
    EXPECT_EQ(one.first(all_paths), 2U);
    one.remove(endpoint::capture_event, behind, false);
    EXPECT_EQ(one.first(all_paths), 11U);
    EXPECT_EQ(one.add(endpoint::capture_event, 2, true, behind), behind);
    EXPECT_EQ(one.first(all_paths), 2U);
}

TEST(ready_events, are_found_anywhere) {
    ready_events one;
    for (sequence number = 1; number <= 100; ++number) {
        one.add(endpoint::capture_event, number, number % 2 == 0, 0);
    }
    EXPECT_EQ(one.anywhere(all_paths, 0.0), 1U);
    EXPECT_EQ(one.anywhere(all_paths, 0.5), 51U);
    EXPECT_EQ(one.anywhere(all_paths, 0.999999), 100U);
}

TEST(ready_events, finds_a_fresh_one_that_will_do) {
    ready_events one;
    one.add(endpoint::capture_event, 1, true, 0);
    for (sequence number = 2; number <= 9; ++number) {
        one.add(endpoint::capture_event, number, false, 0);
    }
    const auto from_5 = [](sequence number) { return number == 1 || number >= 5; };
    EXPECT_EQ(one.fresh(all_paths, 4, from_5), 5U);
    EXPECT_FALSE(one.fresh(all_paths, 3, from_5));
}

TEST(user_order, has_one_event_of_a_user_under_way) {
    user_order one({2, 10});
    one.read_begins(1);
    EXPECT_EQ(one.offer(7, 1), place::head);
    EXPECT_EQ(one.offer(7, 2), place::behind);
    EXPECT_EQ(one.offer(8, 3), place::head);
    EXPECT_EQ(one.offer(7, 4), place::behind);
    EXPECT_EQ(one.offer(7, 5), place::passed);
    EXPECT_EQ(one.offer(7, 6), place::passed);
    one.read_ends(7, 7);
    EXPECT_EQ(one.waiting_behind(), 2U);
    EXPECT_EQ(one.remove(7, 1), 2U);
    EXPECT_FALSE(one.remove(8, 3));
}

TEST(user_order, reads_again_what_it_passed_over_when_there_is_room) {
    user_order one({2, 10});
    one.read_begins(1);
    for (sequence number = 1; number <= 6; ++number) {
        one.offer(7, number);
    }
    one.read_ends(7, 7);
    EXPECT_FALSE(one.read_again());
    EXPECT_EQ(one.remove(7, 1), 2U);
    EXPECT_EQ(one.remove(7, 2), 3U);
    ASSERT_EQ(one.read_again(), 4U);
    one.read_begins(4);
    EXPECT_EQ(one.offer(7, 4), place::behind);
    EXPECT_EQ(one.offer(7, 5), place::behind);
    EXPECT_EQ(one.offer(7, 6), place::passed);
    one.read_ends(7, 7);
    EXPECT_FALSE(one.read_again());
    EXPECT_EQ(one.passed_users(), 1U);
}

TEST(user_order, takes_nothing_from_the_frontier_while_something_before_it_is_unread) {
    user_order one({0, 10});
    one.read_begins(1);
    EXPECT_EQ(one.offer(7, 1), place::head);
    EXPECT_EQ(one.offer(7, 2), place::passed);
    one.read_ends(3, 3);
    EXPECT_FALSE(one.remove(7, 1));
    one.read_begins(3); // a read that was planned before the head ended
    EXPECT_EQ(one.offer(7, 3), place::passed) << "2 comes first";
    one.read_ends(4, 4);
    EXPECT_EQ(one.read_again(), 2U);
    one.read_begins(2);
    EXPECT_EQ(one.offer(7, 2), place::head);
    EXPECT_EQ(one.offer(7, 3), place::passed);
    one.read_ends(4, 4);
}

TEST(user_order, forgets_a_user_of_whom_nothing_is_left_to_read) {
    user_order one({0, 10});
    one.read_begins(1);
    one.offer(7, 1);
    one.offer(7, 2);
    one.read_ends(3, 3);
    one.remove(7, 1);
    one.read_begins(2);
    one.read_ends(3, 3); // 2 was dropped by an operator
    EXPECT_FALSE(one.read_again());
    EXPECT_EQ(one.passed_users(), 0U);
    one.read_begins(3);
    EXPECT_EQ(one.offer(7, 3), place::head);
}

TEST(user_order, goes_on_from_where_a_read_again_stopped) {
    user_order one({0, 10});
    one.read_begins(1);
    one.offer(7, 1);
    one.offer(7, 2);
    one.read_ends(1000, 1000);
    one.remove(7, 1);
    one.read_begins(2);
    one.read_ends(500, 1000); // 2 is gone, more may follow
    EXPECT_EQ(one.read_again(), 500U);
}

TEST(user_order, makes_room_while_the_head_rests) {
    user_order one({4, 10});
    one.read_begins(1);
    for (sequence number = 1; number <= 3; ++number) {
        one.offer(7, number);
    }
    one.read_ends(4, 4);
    EXPECT_THAT(one.rest(7), ElementsAre(2, 3));
    EXPECT_EQ(one.waiting_behind(), 0U);
    EXPECT_FALSE(one.read_again());
    one.read_begins(4);
    EXPECT_EQ(one.offer(7, 4), place::passed);
    one.read_ends(5, 5);
    one.wake(7);
    EXPECT_EQ(one.read_again(), 2U);
    EXPECT_THAT(one.rest(7), IsEmpty());
}

TEST(user_order, says_when_too_many_users_have_events_passed_over) {
    user_order one({0, 2});
    one.read_begins(1);
    for (std::uint64_t user = 1; user <= 3; ++user) {
        EXPECT_EQ(one.offer(user, user), place::head);
    }
    EXPECT_EQ(one.offer(1, 4), place::passed);
    EXPECT_EQ(one.offer(2, 5), place::passed);
    EXPECT_TRUE(one.full());
    EXPECT_EQ(one.offer(1, 6), place::passed) << "already known";
    EXPECT_EQ(one.offer(3, 7), place::no_room);
}

TEST(user_order, puts_a_replayed_event_before_later_ones) {
    user_order one({4, 10});
    one.read_begins(1);
    one.offer(7, 5);
    one.offer(7, 8);
    one.read_ends(9, 9);
    one.read_begins(2);
    EXPECT_EQ(one.offer(7, 2), place::behind) << "5 is under way";
    one.read_ends(9, 9);
    EXPECT_EQ(one.remove(7, 5), 2U);
    EXPECT_EQ(one.remove(7, 2), 8U);
}

TEST(lane_reader, reads_forward_until_the_end_and_on_when_more_is_stored) {
    lane_reader one;
    auto plan = one.next(std::nullopt, true);
    EXPECT_EQ(plan->from, 1U);
    one.begins(*plan);
    EXPECT_EQ(one.ended(50, false), 50U);
    plan = one.next(std::nullopt, true);
    EXPECT_EQ(plan->from, 50U);
    one.begins(*plan);
    one.ended(60, true);
    EXPECT_FALSE(one.next(std::nullopt, true));
    one.stored();
    EXPECT_EQ(one.next(std::nullopt, true)->from, 60U);
    EXPECT_FALSE(one.next(std::nullopt, false)) << "no room";
}

TEST(lane_reader, does_not_miss_what_is_stored_during_a_read) {
    lane_reader one;
    one.begins(*one.next(std::nullopt, true));
    one.stored();
    one.ended(10, true);
    EXPECT_EQ(one.next(std::nullopt, true)->from, 10U);
}

TEST(lane_reader, takes_turns_between_forward_and_again) {
    lane_reader one;
    std::vector<bool> again;
    for (int i = 0; i < 4; ++i) {
        const auto plan = one.next(sequence{1}, true);
        again.push_back(plan->again);
        one.begins(*plan);
        one.ended(plan->from + 10, false);
    }
    EXPECT_THAT(again, ElementsAre(true, false, true, false));
    EXPECT_TRUE(one.next(sequence{1}, false)->again);
}

TEST(lane_reader, does_not_move_the_frontier_by_reading_again_before_it) {
    lane_reader one;
    one.begins({1, false});
    one.ended(100, true);
    one.begins({5, true});
    EXPECT_EQ(one.ended(50, false), 50U);
    EXPECT_EQ(one.frontier(), 100U);
    EXPECT_TRUE(one.at_end());
}

TEST(lane_reader, counts_a_read_only_up_to_where_it_was_cut) {
    lane_reader one;
    one.begins({1, false});
    one.cut_at(30);
    one.cut_at(40);
    EXPECT_EQ(one.ended(100, true), 30U);
    EXPECT_EQ(one.frontier(), 30U);
    EXPECT_FALSE(one.at_end());
}

TEST(lane_reader, knows_what_ended_since_the_read_before_last) {
    lane_reader one;
    one.gone(7);
    one.begins({1, false});
    EXPECT_TRUE(one.has_gone(7));
    one.ended(10, false);
    EXPECT_TRUE(one.has_gone(7)) << "its mark may not have reached the queue before the next read";
    one.begins({10, false});
    one.ended(20, false);
    EXPECT_FALSE(one.has_gone(7));
}

TEST(lane_reader, remembers_what_ended_elsewhere_only_during_a_read) {
    lane_reader one;
    one.gone_elsewhere(7);
    EXPECT_FALSE(one.has_gone(7));
    one.begins({1, false});
    one.gone_elsewhere(7);
    EXPECT_TRUE(one.has_gone(7));
}

TEST(lane_reader, goes_back_for_a_replayed_event) {
    lane_reader one;
    one.begins({1, false});
    one.ended(100, true);
    one.gone(7);
    one.replayed(7);
    EXPECT_FALSE(one.has_gone(7));
    EXPECT_EQ(one.next(std::nullopt, true)->from, 7U);
    one.begins({50, true}); // for passed-over events behind it
    one.ended(60, true);
    EXPECT_EQ(one.next(std::nullopt, true)->from, 7U);
    one.begins({7, false});
    one.replayed(3); // during the read
    one.ended(100, true);
    EXPECT_EQ(one.next(std::nullopt, true)->from, 3U);
}

} // namespace
} // namespace linkrunner::delivery
