// What a policy drops: events of one lane when the spool is full, dead letters that are too many or too old.
#include "spool/letters.hpp"
#include "unit/spool/store_fixture.hpp"

namespace linkrunner::spool {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class drop_oldest_test : public store_fixture {
  protected:
    drop_oldest_test() {
        settings_.max_bytes = 1 << 20;
        settings_.when_full = full_policy::drop_oldest;
        settings_.last_lane = 1;
        open();
    }

    // As many events as have to go for room to be wanted, every tenth one of lane 0.
    number_range append_until_room_is_wanted() {
        for (int i = 0; i < 5000 && !store_->room_wanted(); ++i) {
            stored(std::to_string(store_->status().next), store_->status().next % 10 == 0 ? 0 : 1, 1000);
        }
        EXPECT_TRUE(store_->room_wanted());
        return store_->room_wanted().value_or(number_range{});
    }
    std::uint64_t dropped(drop_reason why) const {
        return store_->status().dropped[static_cast<std::size_t>(why)];
    }
};

TEST_F(drop_oldest_test, the_oldest_of_the_last_lane_go_and_new_ones_are_taken_without_end) {
    for (int round = 0; round < 30; ++round) {
        const number_range range = append_until_room_is_wanted();
        store_->drop(range, {});
        pass(1s);
        ASSERT_LE(disk_.used(), settings_.max_bytes);
    }
    EXPECT_EQ(store_->status().refusing, refusal::none);
    EXPECT_GT(dropped(drop_reason::queue_full), 1000u);
    EXPECT_EQ(events().dropped, dropped(drop_reason::queue_full));
    EXPECT_TRUE(adds_up());
    EXPECT_EQ(pending(0).size(), (store_->status().next - 1) / 10) << "of the other lane none was dropped";
    const auto left = pending(1);
    EXPECT_EQ(left.back(), std::to_string((store_->status().next - 1) % 10 == 0 ? store_->status().next - 2
                                                                                : store_->status().next - 1));
    const ledger before = events();
    reopen();
    EXPECT_EQ(events().dropped, before.dropped);
    EXPECT_EQ(events().accepted, before.accepted);
    EXPECT_EQ(pending(1), left);
}

TEST_F(drop_oldest_test, what_is_held_or_was_read_since_stays) {
    const number_range range = append_until_room_is_wanted();
    ASSERT_EQ(range.first, 1u);
    const auto read = store_->read(1, 5, 3, 1 << 20); // 5, 6, 7
    ASSERT_EQ(read->events.size(), 3u);
    const auto gone = store_->drop(range, {2, 9});
    EXPECT_EQ(gone.size(), dropped(drop_reason::queue_full));
    const auto left = pending(1);
    EXPECT_THAT(std::vector(left.begin(), left.begin() + 5), ElementsAre("2", "5", "6", "7", "9"));
    EXPECT_EQ(store_->end_of(1), mark_kind::dropped);
    EXPECT_EQ(store_->end_of(2), std::nullopt);
}

TEST_F(drop_oldest_test, what_was_filled_since_is_there_to_be_dropped_when_all_before_it_had_to_stay) {
    settings_.last_lane = 3;
    reopen();
    while (append({event(std::to_string(store_->status().next), 1, 1000)})) {
    }
    ASSERT_FALSE(store_->room_wanted()) << "nothing of the last lane";
    const sequence before = store_->status().next;
    mark_as(mark_kind::delivered, {1, 2, 3, 4, 5, 6, 7, 8});
    for (sequence number = 9; number < 400; ++number) {
        mark_as(mark_kind::delivered, {number});
    }
    store_->maintain(); // no time passes
    while (!store_->room_wanted() && append({event(std::to_string(store_->status().next), 3, 1000)})) {
    }
    ASSERT_TRUE(store_->room_wanted());
    EXPECT_GE(store_->room_wanted()->last, before);
}

TEST_F(drop_oldest_test, when_nothing_may_go_events_are_refused) {
    settings_.last_lane = 3;
    reopen();
    result<std::vector<appended>> outcome;
    for (int i = 0; i < 5000 && (outcome = append({event(std::to_string(i), 1, 1000)})); ++i) {
        EXPECT_FALSE(store_->room_wanted());
    }
    EXPECT_EQ(refusal_of(outcome.error()), refusal::queue_full);
    EXPECT_EQ(dropped(drop_reason::queue_full), 0u);
}

TEST_F(drop_oldest_test, under_reject_nothing_is_dropped) {
    settings_.when_full = full_policy::reject;
    reopen();
    for (int i = 0; i < 5000 && append({event(std::to_string(i), 1, 1000)}); ++i) {
        EXPECT_FALSE(store_->room_wanted());
    }
    EXPECT_EQ(store_->status().refusing, refusal::queue_full);
}

class dead_bounds_test : public store_fixture {
  protected:
    void die(sequence number, wall_time when) {
        std::vector<mark_job> jobs(1);
        mark one;
        one.number = number;
        one.kind = mark_kind::dead;
        one.letter.last_attempt = when;
        one.letter.excerpt = "bad request";
        jobs[0].marks.push_back(one);
        store_->commit({}, jobs);
    }
    std::uint64_t dropped(drop_reason why) const {
        return store_->status().dropped[static_cast<std::size_t>(why)];
    }
};

TEST_F(dead_bounds_test, letters_beyond_their_age_are_dropped_the_others_stay) {
    settings_.dead_max_age = 1h;
    open();
    for (const char* id : {"a", "b", "c", "d"}) {
        stored(id);
    }
    die(1, clock_.wall());
    die(2, clock_.wall() + 30min);
    pass(1h + 2min);
    EXPECT_EQ(events().dead, 1u);
    EXPECT_EQ(events().dropped, 1u);
    EXPECT_EQ(store_->end_of(1), mark_kind::dropped);
    EXPECT_EQ(dropped(drop_reason::dead_max_age), 1u);
    reopen();
    EXPECT_EQ(events().dead, 1u);
    EXPECT_TRUE(adds_up());
    pass(30min);
    EXPECT_EQ(events().dead, 0u);
    EXPECT_THAT(pending(), ElementsAre("c", "d"));
    EXPECT_THAT(store_->take_findings(), Contains(HasSubstr("dead_max_age")));
}

TEST_F(dead_bounds_test, letters_beyond_their_size_are_dropped_the_oldest_first) {
    settings_.dead_max_bytes = 20'000;
    open();
    for (int i = 0; i < 40; ++i) {
        die(stored(std::to_string(i), 0, 1000), clock_.wall());
    }
    pass(2s);
    EXPECT_LT(events().dead, 20u);
    EXPECT_GT(events().dead, 10u);
    EXPECT_EQ(store_->end_of(1), mark_kind::dropped);
    EXPECT_EQ(store_->end_of(40), mark_kind::dead);
    EXPECT_EQ(dropped(drop_reason::dead_max_bytes), events().dropped);
    EXPECT_TRUE(adds_up());
}

TEST_F(dead_bounds_test, letters_in_compacted_segments_have_their_age_too) {
    settings_.segment_bytes = 64 << 10;
    settings_.dead_max_age = 1h;
    open();
    while (disk_.count(".log") < 4) {
        mark_as(mark_kind::delivered, {stored(std::to_string(store_->status().next), 0, 1000)});
        if (store_->status().next == 11) {
            die(stored("dies", 0, 1000), clock_.wall());
            die(stored("dies later", 0, 1000), clock_.wall() + 30min);
        }
    }
    for (int second = 0; second < 5; ++second) {
        pass(1s);
    }
    reopen();
    EXPECT_EQ(events().dead, 2u);
    pass(1h + 2min);
    EXPECT_EQ(events().dead, 1u);
    EXPECT_EQ(store_->end_of(12), mark_kind::dead);
}

} // namespace
} // namespace linkrunner::spool
