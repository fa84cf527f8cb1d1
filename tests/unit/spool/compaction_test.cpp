// Segments that a few events keep alive are rewritten: the directory stays small and nothing else changes.
#include "spool/compaction.hpp"

#include "unit/spool/store_fixture.hpp"

namespace linkrunner::spool {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;

class compaction_test : public store_fixture {
  protected:
    compaction_test() {
        settings_.segment_bytes = 64 << 10;
        open();
    }

    // Segments that are full, of events named by their number.
    void fill_segments(int segments) {
        const std::size_t wanted = disk_.count(".log") + static_cast<std::size_t>(segments);
        while (disk_.count(".log") < wanted) {
            stored(std::to_string(store_->status().next), 0, 900);
        }
    }
    void end_all_but(const std::vector<sequence>& kept, mark_kind how = mark_kind::delivered) {
        std::vector<sequence> ended;
        for (sequence number = 1; number < store_->status().next; ++number) {
            if (std::ranges::find(kept, number) == kept.end()) {
                ended.push_back(number);
            }
        }
        mark_as(how, ended);
    }
    void settle() {
        for (int second = 0; second < 20; ++second) {
            pass(1s);
        }
    }
    void mark_dead(sequence number, const std::string& excerpt) {
        std::vector<mark_job> jobs(1);
        mark one;
        one.number = number;
        one.kind = mark_kind::dead;
        one.letter.excerpt = excerpt;
        one.letter.last_attempt = clock_.wall();
        jobs[0].marks.push_back(one);
        store_->commit({}, jobs);
    }
};

TEST_F(compaction_test, an_event_stuck_at_the_front_does_not_keep_the_others_on_disk) {
    sequence next = 1;
    std::size_t most = 0;
    for (int round = 0; round < 20; ++round) {
        fill_segments(2);
        next = store_->status().next;
        end_all_but({1});
        settle();
        most = std::max(most, disk_.used());
    }
    EXPECT_LT(most, 6 * settings_.segment_bytes);
    EXPECT_LT(disk_.count(".log"), 4u);
    EXPECT_THAT(pending(), ElementsAre("1"));
    EXPECT_EQ(events().accepted, next - 1);
    EXPECT_EQ(events().delivered, next - 2);
    EXPECT_EQ(store_->status().bytes, disk_.used());
}

TEST_F(compaction_test, the_disk_holds_about_twice_what_is_pending_and_a_segment) {
    fill_segments(40);
    std::vector<sequence> kept;
    for (sequence number = 1; number < store_->status().next; number += 10) {
        kept.push_back(number);
    }
    end_all_but(kept);
    settle();
    settle();
    const std::uint64_t live = kept.size() * 1100;
    EXPECT_LT(disk_.used() - disk_.content("/reserve").size(), 2 * live + 2 * settings_.segment_bytes);
}

TEST_F(compaction_test, order_states_and_totals_are_the_same_afterwards_and_after_a_restart) {
    fill_segments(4);
    const sequence last = store_->status().next - 1;
    mark_as(mark_kind::sending, {40});
    mark_dead(77, "no such campaign");
    end_all_but({1, 40, 77, 78, 130, last});
    const ledger before = events();
    const std::vector<std::string> order = pending();
    settle();
    EXPECT_LE(disk_.count(".log"), 2u);
    const auto same = [&] {
        EXPECT_EQ(pending(), order);
        EXPECT_EQ(events().accepted, before.accepted);
        EXPECT_EQ(events().delivered, before.delivered);
        EXPECT_EQ(events().dead, 1u);
        EXPECT_EQ(events().pending, before.pending);
        EXPECT_TRUE(adds_up());
        EXPECT_EQ(store_->status().next, last + 1);
        EXPECT_TRUE(store_->read(0, 40, 1, 1)->events[0].sending_marked);
        EXPECT_EQ(store_->end_of(77), mark_kind::dead);
    };
    same();
    EXPECT_THAT(reopen().findings, IsEmpty());
    same();
    EXPECT_THAT(disk_.content("1.log"), HasSubstr("no such campaign"));
    mark_as(mark_kind::replayed, {77});
    reopen();
    EXPECT_EQ(events().dead, 0u);
    EXPECT_EQ(events().pending, before.pending + 1);
}

TEST_F(compaction_test, compacted_segments_are_compacted_again_with_their_letters) {
    fill_segments(2);
    mark_dead(5, "the first letter");
    end_all_but({5, 6, 7});
    settle();
    fill_segments(2);
    mark_as(mark_kind::delivered, {6});
    mark_dead(7, "the second letter");
    end_all_but({5, 7, 60});
    settle();
    EXPECT_LE(disk_.count(".log"), 2u);
    reopen();
    EXPECT_THAT(disk_.content("1.log"), HasSubstr("the first letter"));
    EXPECT_THAT(disk_.content("1.log"), HasSubstr("the second letter"));
    EXPECT_EQ(events().dead, 2u);
    EXPECT_EQ(store_->end_of(5), mark_kind::dead);
}

TEST_F(compaction_test, repeats_of_events_that_are_gone_are_known_before_and_after_a_restart) {
    settings_.dedupe_window = 1h;
    reopen();
    fill_segments(3);
    end_all_but({3});
    settle();
    for (int restart = 0; restart < 2; ++restart) {
        EXPECT_EQ(append({event("2", 0, 900)})->front().outcome, append_outcome::duplicate);
        EXPECT_EQ(append({event("3", 0, 900)})->front().number, 3u);
        EXPECT_EQ(append({event("50", 0, 900)})->front().number, 50u);
        EXPECT_EQ(store_->end_of(50), mark_kind::delivered);
        reopen();
    }
    mark_as(mark_kind::delivered, {3});
    settle();
    reopen();
    EXPECT_EQ(append({event("3", 0, 900)})->front().number, 3u);
}

TEST_F(compaction_test, a_compacted_segment_that_is_done_with_is_retired_and_leaves_nothing) {
    fill_segments(3);
    end_all_but({3});
    settle();
    end_all_but({});
    settle();
    reopen();
    settle();
    EXPECT_EQ(disk_.count(".log"), 1u);
    EXPECT_EQ(disk_.count(".marks"), 0u);
    EXPECT_EQ(events().delivered, events().accepted);
}

TEST_F(compaction_test, a_failure_leaves_all_as_it_was_and_it_is_tried_again) {
    for (const char* call : {"open", "write", "sync", "rename", "sync_directory", "remove"}) {
        fill_segments(2);
        const sequence first = store_->status().next - 10;
        disk_.failing = [call](std::string_view what, const std::string& path) {
            const bool its = path.ends_with(".log.tmp") || path == "/spool" || what == "remove";
            return what == call && its ? EIO : 0;
        };
        end_all_but({first});
        settle();
        EXPECT_EQ(store_->end_of(first), std::nullopt) << call;
        EXPECT_TRUE(adds_up()) << call;
        stop_failing();
        settle();
        reopen();
        settle();
        EXPECT_THAT(pending(), ElementsAre(std::to_string(first))) << call;
        EXPECT_LE(disk_.count(".log"), 3u) << call;
        EXPECT_EQ(events().lost, 0u) << call;
    }
}

TEST_F(compaction_test, an_event_that_is_damaged_by_then_counts_as_lost) {
    fill_segments(2);
    end_all_but({3, 4});
    std::string& bytes = disk_.content("1.log");
    bytes[bytes.find("\"event_id\":\"3\"")] ^= 1;
    settle();
    EXPECT_THAT(store_->take_findings(), ElementsAre(HasSubstr("event 3")));
    EXPECT_EQ(events().lost, 1u);
    reopen();
    EXPECT_THAT(pending(), ElementsAre("4"));
    EXPECT_EQ(events().lost, 1u);
    EXPECT_TRUE(adds_up());
}

TEST_F(compaction_test, a_flipped_bit_in_a_compacted_segment_loses_one_event) {
    fill_segments(2);
    end_all_but({3, 4, 60});
    settle();
    std::string& bytes = disk_.content("1.log");
    bytes[bytes.find("\"event_id\":\"4\"")] ^= 1;
    const recovery_report report = reopen();
    EXPECT_EQ(report.lost, 1u);
    EXPECT_THAT(report.findings, Not(IsEmpty()));
    EXPECT_THAT(pending(), ElementsAre("3", "60"));
    EXPECT_TRUE(adds_up());
}

TEST_F(compaction_test, an_event_that_had_ended_is_not_lost_with_its_frame_in_a_compacted_segment) {
    fill_segments(2);
    end_all_but({3, 4, 5, 60});
    settle();
    const ledger before = events();
    mark_as(mark_kind::delivered, {4});
    mark_as(mark_kind::dropped, {5});
    for (const char* id : {"3", "4", "5"}) {
        std::string& bytes = disk_.content("1.log");
        bytes[bytes.find("\"event_id\":\"" + std::string(id) + "\"")] ^= 1;
    }
    for (int start = 0; start < 2; ++start) {
        EXPECT_EQ(reopen().lost, 1u);
        EXPECT_THAT(pending(), ElementsAre("60"));
        EXPECT_EQ(events().lost, 1u);
        EXPECT_EQ(events().delivered, before.delivered + 1);
        EXPECT_EQ(events().dropped, before.dropped + 1);
        EXPECT_EQ(events().accepted, before.accepted);
        EXPECT_TRUE(adds_up());
    }
}

TEST_F(compaction_test, a_compacted_segment_that_cannot_be_opened_loses_its_events_only) {
    fill_segments(2);
    const sequence last = store_->status().next - 1;
    fill_segments(2);
    end_all_but({3, 4, 5});
    settle();
    EXPECT_LT(last, store_->status().next);
    const ledger before = events();
    int opened = 0;
    disk_.failing = [&opened](std::string_view what, const std::string& path) {
        return what == "open" && path.ends_with("0001.log") && ++opened == 2 ? EIO : 0;
    };
    EXPECT_EQ(reopen().lost, 3u);
    stop_failing();
    EXPECT_EQ(events().delivered, before.delivered);
    EXPECT_TRUE(adds_up());
    reopen();
    EXPECT_EQ(events().lost, 0u);
    EXPECT_THAT(pending(), ElementsAre("3", "4", "5"));
}

TEST_F(compaction_test, a_full_disk_gets_room_by_it) {
    fill_segments(6);
    end_all_but({1, 70, 140});
    store_->close();
    open();
    disk_.capacity = disk_.used();
    EXPECT_FALSE(append({event("big", 0, 30'000)}));
    settle();
    EXPECT_EQ(store_->status().refusing, refusal::none);
    EXPECT_THAT(pending(), ElementsAre("1", "70", "140"));
    stored("again", 0, 30'000);
}

} // namespace
} // namespace linkrunner::spool
