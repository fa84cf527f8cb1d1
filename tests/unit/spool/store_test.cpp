#include "spool/frame.hpp"
#include "unit/spool/store_fixture.hpp"

namespace linkrunner::spool {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class store_test : public store_fixture {
  protected:
    store_test() { open(); }
};

TEST_F(store_test, events_come_out_in_order_as_they_went_in) {
    new_event one = event("a", 3);
    one.ambiguous_dead = true;
    one.name = "n\"1";
    ASSERT_TRUE(append({one, event("b"), event("c", 3)}));
    const auto got = store_->read(3, 0, 10, 1000).value();
    ASSERT_EQ(got.events.size(), 2u);
    EXPECT_TRUE(got.at_end);
    EXPECT_EQ(got.next, 4u);
    const stored_event& first = got.events[0];
    EXPECT_EQ(first.number, 1u);
    EXPECT_EQ(first.body, one.body);
    EXPECT_EQ(first.name, one.name);
    EXPECT_EQ(first.event_id, "a");
    EXPECT_EQ(first.user_key, one.user_key);
    EXPECT_EQ(first.identity, one.identity);
    EXPECT_EQ(first.body_hash, one.body_hash);
    EXPECT_EQ(first.accepted_at, one.accepted_at);
    EXPECT_EQ(first.lane, 3);
    EXPECT_TRUE(first.ambiguous_dead);
    EXPECT_FALSE(first.sending_marked);
    EXPECT_EQ(got.events[1].event_id, "c");
    EXPECT_EQ(got.events[1].number, 3u);
}

TEST_F(store_test, a_read_stops_at_its_bounds_and_goes_on_where_it_stopped) {
    for (int i = 0; i < 10; ++i) {
        stored(std::to_string(i));
    }
    auto got = store_->read(0, 0, 4, 1 << 20).value();
    EXPECT_EQ(got.events.size(), 4u);
    EXPECT_FALSE(got.at_end);
    EXPECT_EQ(got.next, 5u);
    got = store_->read(0, got.next, 100, 1).value();
    EXPECT_EQ(got.events.size(), 1u);
    got = store_->read(0, got.next, 100, 1 << 20).value();
    EXPECT_EQ(got.events.size(), 5u);
    EXPECT_TRUE(got.at_end);
    EXPECT_THAT(store_->read(0, 100, 1, 1).value().events, IsEmpty());
    EXPECT_THAT(store_->read(5, 0, 1, 1).value().events, IsEmpty());
}

TEST_F(store_test, one_fdatasync_serves_the_whole_group) {
    disk_.calls.clear();
    std::vector<append_job> jobs;
    for (int i = 0; i < 10; ++i) {
        jobs.push_back({{event("e" + std::to_string(i)), event("f" + std::to_string(i))}, {}});
    }
    store_->commit(jobs, {});
    EXPECT_EQ(disk_.calls["sync"], 1);
    EXPECT_EQ(disk_.calls["write"], 1);
    EXPECT_EQ(jobs[9].outcome->at(1).number, 20u);
    EXPECT_EQ(store_->lanes_stored(), 1u);
    EXPECT_TRUE(store_->sync_seconds());
}

TEST_F(store_test, marked_events_are_not_read_again_and_the_ledger_adds_up) {
    for (const char* id : {"a", "b", "c", "d", "e"}) {
        stored(id, id[0] == 'e' ? 1 : 0);
    }
    mark_as(mark_kind::delivered, {2});
    mark_as(mark_kind::dead, {1});
    mark_as(mark_kind::dropped, {3});
    mark_as(mark_kind::handed_off, {5});
    EXPECT_THAT(pending(), ElementsAre("d"));
    EXPECT_THAT(pending(1), IsEmpty());
    const ledger all = events();
    EXPECT_EQ(all.accepted, 5u);
    EXPECT_EQ(all.delivered, 1u);
    EXPECT_EQ(all.dead, 1u);
    EXPECT_EQ(all.dropped, 1u);
    EXPECT_EQ(all.handed_off, 1u);
    EXPECT_EQ(all.pending, 1u);
    EXPECT_EQ(store_->status().pending_by_lane[0], 1u);
    EXPECT_EQ(store_->status().pending_by_lane[1], 0u);
    EXPECT_EQ(store_->end_of(2), mark_kind::delivered);
    EXPECT_EQ(store_->end_of(4), std::nullopt);
}

TEST_F(store_test, marks_are_idempotent_and_an_end_stays_an_end) {
    stored("a");
    mark_as(mark_kind::delivered, {1, 1, 77});
    mark_as(mark_kind::dead, {1});
    mark_as(mark_kind::replayed, {1});
    EXPECT_EQ(events().delivered, 1u);
    EXPECT_EQ(events().pending, 0u);
    EXPECT_TRUE(adds_up());
}

TEST_F(store_test, a_dead_letter_without_an_excerpt_is_kept_though_its_mark_ends_in_zeros) {
    stored("a");
    stored("b");
    mark_as(mark_kind::dead, {2});
    EXPECT_EQ(reopen().dead, 1u);
    EXPECT_THAT(pending(), ElementsAre("a"));
}

TEST_F(store_test, an_event_whose_sending_mark_was_taken_back_is_pending_without_it) {
    stored("a");
    mark_as(mark_kind::sending, {1});
    mark_as(mark_kind::replayed, {1});
    reopen();
    const auto got = store_->read(0, 0, 10, 1000).value();
    ASSERT_EQ(got.events.size(), 1u);
    EXPECT_FALSE(got.events[0].sending_marked);
    EXPECT_TRUE(adds_up());
}

TEST_F(store_test, a_replayed_dead_letter_is_pending_at_its_old_place) {
    for (const char* id : {"a", "b", "c"}) {
        stored(id);
    }
    mark_as(mark_kind::dead, {1});
    EXPECT_THAT(pending(), ElementsAre("b", "c"));
    mark_as(mark_kind::replayed, {1});
    EXPECT_THAT(pending(), ElementsAre("a", "b", "c"));
    EXPECT_TRUE(adds_up());
}

TEST_F(store_test, everything_is_as_it_was_after_a_kill) {
    for (const char* id : {"a", "b", "c", "d"}) {
        stored(id);
    }
    mark_as(mark_kind::delivered, {1});
    mark_as(mark_kind::dead, {2});
    mark_as(mark_kind::sending, {3});
    const ledger before = events();
    const auto seed = store_->hash_seed();
    const recovery_report report = reopen();
    EXPECT_EQ(report.pending, 2u);
    EXPECT_EQ(report.dead, 1u);
    EXPECT_EQ(report.lost, 0u);
    EXPECT_THAT(report.findings, IsEmpty());
    EXPECT_EQ(store_->hash_seed(), seed);
    EXPECT_EQ(events().accepted, before.accepted);
    EXPECT_EQ(events().delivered, before.delivered);
    const auto got = store_->read(0, 0, 10, 1000).value();
    ASSERT_EQ(got.events.size(), 2u);
    EXPECT_TRUE(got.events[0].sending_marked);
    EXPECT_FALSE(got.events[1].sending_marked);
    EXPECT_EQ(stored("e"), 5u);
    EXPECT_TRUE(adds_up());
}

TEST_F(store_test, a_recovered_segment_is_never_appended_to) {
    stored("a");
    reopen();
    const std::string sealed = disk_.content("1.log");
    stored("b");
    EXPECT_EQ(disk_.content("1.log"), sealed);
    EXPECT_EQ(disk_.count(".log"), 2u);
}

TEST_F(store_test, restarts_without_events_leave_one_segment) {
    for (int i = 0; i < 5; ++i) {
        reopen();
    }
    EXPECT_EQ(disk_.count(".log"), 1u);
    EXPECT_EQ(stored("a"), 1u);
}

TEST_F(store_test, a_closed_store_opens_without_findings_and_without_zeros) {
    stored("a");
    store_->close();
    EXPECT_LT(disk_.content("1.log").size(), header_area_bytes + 500);
    EXPECT_THAT(reopen().findings, IsEmpty());
    EXPECT_THAT(pending(), ElementsAre("a"));
}

TEST_F(store_test, a_second_store_is_refused_while_the_first_holds_the_lock) {
    recovery_report report;
    const auto second = store::open(settings_, disk_, clock_, random_, report);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, std::errc::device_or_resource_busy);
}

TEST_F(store_test, the_oldest_pending_event_is_known) {
    stored("a");
    const wall_time first = clock_.wall();
    pass(std::chrono::seconds(5));
    stored("b");
    EXPECT_EQ(store_->status().oldest_pending, first);
    mark_as(mark_kind::delivered, {1});
    EXPECT_EQ(store_->status().oldest_pending, first + std::chrono::seconds(5));
    mark_as(mark_kind::delivered, {2});
    EXPECT_EQ(store_->status().oldest_pending, wall_time{});
}

TEST_F(store_test, an_event_beyond_what_a_frame_can_hold_is_refused_alone) {
    const auto outcome = append({event("a"), event("big", 0, max_frame_bytes)});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, std::errc::message_size);
    EXPECT_EQ(stored("a"), 1u);
}

TEST_F(store_test, events_of_a_lane_that_the_configuration_has_no_more_go_with_the_last_one) {
    stored("a", 0);
    stored("b", 1);
    stored("c", 4);
    settings_.last_lane = 1;
    reopen();
    EXPECT_THAT(pending(1), ElementsAre("b", "c"));
    EXPECT_EQ(store_->status().pending_by_lane[1], 2u);
    EXPECT_EQ(store_->read(1, 3, 1, 1 << 20)->events.at(0).lane, 1);
    settings_.last_lane = max_lanes - 1;
    reopen();
    EXPECT_THAT(pending(4), ElementsAre("c"));
}

} // namespace
} // namespace linkrunner::spool
