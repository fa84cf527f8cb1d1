#include "base/crc32c.hpp"
#include "spool/recovery.hpp"
#include "unit/spool/store_fixture.hpp"

namespace linkrunner::spool {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class fault_test : public store_fixture {
  protected:
    fault_test() { open(); }

    refusal refused(const std::string& id) {
        const auto outcome = append(id);
        EXPECT_FALSE(outcome);
        return outcome ? refusal::none : refusal_of(outcome.error());
    }
    // Flips a bit of the `occurrence`th place where `text` stands in the file.
    void flip(const std::string& file, const std::string& text, int bit = 3) {
        std::string& bytes = disk_.content(file);
        const std::size_t at = bytes.find(text);
        ASSERT_NE(at, std::string::npos);
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
    }
};

TEST_F(fault_test, a_failed_write_is_cut_off_and_the_same_segment_goes_on) {
    stored("a");
    fail("write", ".log", ENOSPC);
    EXPECT_EQ(refused("b"), refusal::disk_full);
    stop_failing();
    EXPECT_EQ(refused("c"), refusal::disk_full) << "no probe within a second";
    pass(1s);
    EXPECT_EQ(store_->status().refusing, refusal::none);
    EXPECT_EQ(stored("d"), 2u);
    EXPECT_EQ(disk_.count(".log"), 1u);
    reopen();
    EXPECT_THAT(pending(), ElementsAre("a", "d"));
}

TEST_F(fault_test, after_a_failed_sync_a_new_segment_voids_what_was_refused) {
    stored("a");
    fail("sync", ".log", EIO);
    const auto outcome = append("b");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(refusal_of(outcome.error()), refusal::disk_error);
    EXPECT_THAT(outcome.error().message, HasSubstr("not known"));
    const int syncs = disk_.calls["sync"];
    EXPECT_EQ(refused("x"), refusal::disk_error);
    EXPECT_EQ(disk_.calls["sync"], syncs) << "the failed descriptor is not synced again";
    stop_failing();
    EXPECT_THAT(pending(), ElementsAre("a"));
    clock_.advance_to(clock_.steady() + 1s);
    EXPECT_EQ(stored("c"), 2u);
    EXPECT_EQ(disk_.count(".log"), 2u);
    reopen();
    EXPECT_THAT(pending(), ElementsAre("a", "c"));
    EXPECT_EQ(events().accepted, 2u);
    EXPECT_EQ(events().lost, 0u);
}

TEST_F(fault_test, refused_frames_do_not_come_back_when_the_segment_that_voids_them_is_retired) {
    stored("a");
    fail("sync", "1.log", EIO);
    refused("b");
    fail("truncate", "1.log", EIO); // they cannot be cut off
    clock_.advance_to(clock_.steady() + 1s);
    stored("c");
    store_.reset();
    open();
    mark_as(mark_kind::delivered, {2});
    pass(1s);
    pass(1s);
    EXPECT_EQ(disk_.count("2.log"), 1u) << "retired too early";
    stop_failing();
    pass(1s);
    pass(1s);
    EXPECT_EQ(disk_.count("2.log"), 0u);
    reopen();
    EXPECT_THAT(pending(), ElementsAre("a"));
    EXPECT_EQ(events().accepted, 2u);
    EXPECT_EQ(events().lost, 0u);
}

TEST_F(fault_test, reads_and_marks_go_on_while_appends_are_refused) {
    stored("a");
    stored("b");
    fail("write", ".log", EROFS);
    EXPECT_EQ(refused("c"), refusal::disk_error);
    EXPECT_THAT(pending(), ElementsAre("a", "b"));
    mark_as(mark_kind::delivered, {1});
    EXPECT_THAT(pending(), ElementsAre("b"));
    EXPECT_EQ(append("a")->front().outcome, append_outcome::duplicate) << "it needs no room";
}

TEST_F(fault_test, marks_that_cannot_be_written_wait_and_are_written_later) {
    stored("a");
    stored("b");
    fail("write", ".marks", ENOSPC);
    mark_as(mark_kind::delivered, {1});
    pass(1s);
    EXPECT_EQ(events().delivered, 1u);
    stop_failing();
    pass(1s);
    reopen();
    EXPECT_THAT(pending(), ElementsAre("b"));
}

TEST_F(fault_test, after_a_failed_sync_marks_go_to_a_new_file) {
    stored("a");
    stored("b");
    mark_as(mark_kind::delivered, {1});
    fail("sync", ".0.marks", EIO);
    pass(1s);
    EXPECT_EQ(disk_.count(".1.marks"), 1u);
    disk_.content(".0.marks").clear(); // as if nothing of it had come to the disk
    reopen();
    EXPECT_THAT(pending(), ElementsAre("b"));
}

TEST_F(fault_test, a_new_segment_that_cannot_be_made_is_tried_again) {
    stored("a");
    for (const char* call : {"open", "rename", "sync_directory"}) {
        fail("sync", ".log", EIO);
        refused("b");
        disk_.failing = [call](std::string_view what, const std::string& path) {
            return what == call && (path.ends_with(".tmp") || what == "sync_directory") ? EMFILE : 0;
        };
        clock_.advance_to(clock_.steady() + 1s);
        EXPECT_EQ(refused("b"), refusal::disk_error) << call;
        stop_failing();
        pass(1s);
        EXPECT_EQ(store_->status().refusing, refusal::none) << call;
    }
    EXPECT_EQ(stored("b"), 2u);
    reopen();
    EXPECT_THAT(pending(), ElementsAre("a", "b"));
    EXPECT_EQ(disk_.count(".tmp"), 0u);
}

TEST_F(fault_test, the_queue_is_full_at_its_limit_and_takes_again_when_room_comes) {
    settings_.max_bytes = 1 << 20;
    reopen();
    int taken = 0;
    result<std::vector<appended>> outcome;
    while ((outcome = append({event(std::to_string(taken), 0, 1000)}))) {
        ++taken;
        ASSERT_LE(disk_.used(), settings_.max_bytes);
        ASSERT_LT(taken, 2000);
    }
    EXPECT_EQ(refusal_of(outcome.error()), refusal::queue_full);
    EXPECT_GT(taken, 500);
    EXPECT_EQ(append("0")->front().outcome, append_outcome::conflict) << "answered without room";
    std::vector<sequence> all;
    for (int i = 1; i <= taken; ++i) {
        all.push_back(static_cast<sequence>(i));
    }
    mark_as(mark_kind::delivered, all);
    EXPECT_LE(disk_.used(), settings_.max_bytes);
    pass(1s);
    EXPECT_EQ(store_->status().refusing, refusal::none);
    stored("again", 0, 1000);
    EXPECT_TRUE(adds_up());
}

TEST_F(fault_test, finished_segments_are_removed_in_any_order_and_their_totals_stay) {
    for (int round = 0; round < 5; ++round) {
        stored("a" + std::to_string(round));
        stored("b" + std::to_string(round));
        reopen();
    }
    EXPECT_EQ(disk_.count(".log"), 6u);
    mark_as(mark_kind::delivered, {3, 4});
    mark_as(mark_kind::dropped, {7, 8});
    store_->maintain();
    EXPECT_EQ(disk_.count(".log"), 4u);
    reopen();
    EXPECT_THAT(pending(), ElementsAre("a0", "b0", "a2", "b2", "a4", "b4"));
    mark_as(mark_kind::delivered, {1, 2, 5, 6, 9, 10});
    store_->maintain();
    EXPECT_EQ(disk_.count(".log"), 1u);
    reopen();
    EXPECT_EQ(events().accepted, 10u);
    EXPECT_EQ(events().delivered, 8u);
    EXPECT_EQ(events().dropped, 2u);
    EXPECT_EQ(events().lost, 0u);
    EXPECT_EQ(stored("next"), 11u);
}

TEST_F(fault_test, a_retired_segment_that_cannot_be_removed_is_not_counted_twice) {
    stored("a");
    reopen();
    fail("remove", "1.log", EIO);
    mark_as(mark_kind::delivered, {1});
    store_->maintain();
    reopen();
    EXPECT_EQ(events().accepted, 1u);
    EXPECT_EQ(events().delivered, 1u);
    stop_failing();
    reopen();
    EXPECT_EQ(events().accepted, 1u);
    pass(1s);
    EXPECT_EQ(disk_.count(".log"), 1u);
}

TEST_F(fault_test, a_torn_tail_is_cut_and_is_no_loss) {
    stored("a");
    stored("b");
    std::string& bytes = disk_.content("1.log");
    const std::size_t at = bytes.find("\"event_id\":\"b\"");
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), '\0');
    const recovery_report report = reopen();
    EXPECT_GT(report.torn_bytes, 0u);
    EXPECT_EQ(report.lost, 0u);
    EXPECT_THAT(pending(), ElementsAre("a"));
    EXPECT_EQ(stored("c"), 2u);
}

TEST_F(fault_test, a_flipped_bit_loses_one_event_wherever_it_is) {
    // Every 7th bit of three frames, the last group included.
    append({event("a"), event("b"), event("c")}).value();
    const std::string clean = disk_.content("1.log");
    const std::size_t end = clean.find_last_not_of('\0') + 1;
    for (std::size_t bit = header_area_bytes * 8; bit < end * 8; bit += 7) {
        disk_.content("1.log") = clean;
        disk_.files.erase(disk_.files.upper_bound("/spool/00000000000000000001.log"), disk_.files.end());
        disk_.content("1.log")[bit / 8] = static_cast<char>(clean[bit / 8] ^ (1 << (bit % 8)));
        const recovery_report report = reopen();
        const std::size_t left = pending().size();
        if (left == 3) {
            continue; // padding between frames
        }
        ASSERT_EQ(left, 2u) << "bit " << bit;
        ASSERT_EQ(events().lost, 1u) << "bit " << bit << ::testing::PrintToString(report.findings);
        ASSERT_EQ(events().accepted, 3u);
        ASSERT_THAT(report.findings, ::testing::Not(IsEmpty()));
    }
}

TEST_F(fault_test, damage_found_while_reading_is_counted_and_never_sent) {
    for (const char* id : {"a", "b", "c"}) {
        stored(id);
    }
    flip("1.log", "\"event_id\":\"b\"");
    EXPECT_THAT(pending(), ElementsAre("a", "c"));
    EXPECT_EQ(events().lost, 1u);
    EXPECT_EQ(events().pending, 2u);
    EXPECT_TRUE(adds_up());
    EXPECT_THAT(store_->take_findings(), ElementsAre(HasSubstr("lost")));
}

TEST_F(fault_test, a_read_that_fails_for_a_while_loses_nothing) {
    for (const char* id : {"a", "b", "c"}) {
        stored(id, 0, 8000);
    }
    fail("read", "1.log", EIO);
    EXPECT_EQ(store_->read(0, 0, 10, 1 << 20).error().code, std::errc::io_error);
    pass(9s);
    EXPECT_FALSE(store_->read(0, 0, 10, 1 << 20));
    EXPECT_EQ(events().lost, 0u);
    stop_failing();
    EXPECT_THAT(pending(), ElementsAre("a", "b", "c"));
}

TEST_F(fault_test, an_event_that_cannot_be_read_for_long_does_not_hold_up_the_others) {
    for (const char* id : {"a", "b", "c"}) {
        stored(id, 0, 8000);
    }
    fail("read", "1.log", EIO);
    EXPECT_FALSE(store_->read(0, 0, 10, 1 << 20));
    pass(10s);
    EXPECT_FALSE(store_->read(0, 0, 10, 1 << 20)) << "the next one has its own ten seconds";
    EXPECT_EQ(events().lost, 1u);
    EXPECT_TRUE(adds_up());
    stop_failing();
    EXPECT_THAT(pending(), ElementsAre("b", "c"));
    reopen();
    EXPECT_THAT(pending(), ElementsAre("a", "b", "c")) << "a disk that heals gives it back";
}

TEST_F(fault_test, a_damaged_header_costs_nothing_while_a_copy_is_good) {
    stored("a");
    disk_.content("1.log")[20] ^= 1;
    EXPECT_THAT(reopen().findings, IsEmpty());
    EXPECT_THAT(pending(), ElementsAre("a"));
}

TEST_F(fault_test, with_both_headers_damaged_the_seed_of_another_file_opens_the_segment) {
    stored("a");
    reopen();
    stored("b");
    const auto seed = store_->hash_seed();
    std::string& bytes = disk_.content("1.log");
    std::fill(bytes.begin(), bytes.begin() + header_area_bytes, 'x');
    const recovery_report report = reopen();
    EXPECT_EQ(report.lost, 0u);
    EXPECT_THAT(report.findings, ElementsAre(HasSubstr("header damaged")));
    EXPECT_EQ(store_->hash_seed(), seed);
    EXPECT_THAT(pending(), ElementsAre("a", "b"));
}

TEST_F(fault_test, a_segment_that_cannot_be_understood_is_set_aside_and_its_numbers_are_not_used_again) {
    stored("a");
    stored("b");
    std::string& bytes = disk_.content("1.log");
    std::fill(bytes.begin(), bytes.begin() + header_area_bytes, 'x');
    const recovery_report report = reopen();
    EXPECT_EQ(report.lost, 2u);
    EXPECT_EQ(disk_.count("1.log.bad"), 1u);
    EXPECT_GT(stored("c"), 2u);
    EXPECT_THAT(pending(), ElementsAre("c"));
    EXPECT_TRUE(adds_up());
    reopen();
    EXPECT_EQ(events().accepted, 3u);
    EXPECT_EQ(events().lost, 2u);
}

TEST_F(fault_test, a_segment_that_is_missing_is_a_loss_of_its_events) {
    for (const char* id : {"a", "b", "c"}) {
        stored(id);
        reopen();
    }
    disk_.files.erase("/spool/00000000000000000002.log");
    EXPECT_EQ(reopen().lost, 1u);
    EXPECT_THAT(pending(), ElementsAre("a", "c"));
    EXPECT_EQ(events().accepted, 3u);
    reopen();
    EXPECT_EQ(events().lost, 1u) << "counted once";
}

TEST_F(fault_test, a_segment_cut_short_loses_what_was_cut) {
    for (const char* id : {"a", "b", "c"}) {
        stored(id);
    }
    reopen();
    std::string& bytes = disk_.content("1.log");
    bytes.resize(bytes.find("\"event_id\":\"b\""));
    EXPECT_EQ(reopen().lost, 2u);
    EXPECT_THAT(pending(), ElementsAre("a"));
    EXPECT_EQ(stored("d"), 4u);
}

TEST_F(fault_test, a_newer_format_is_left_alone) {
    stored("a");
    store_.reset();
    segment_header header;
    header.first = 1;
    std::string area = encode_header_area(header, {});
    area[8] = 9;
    const auto before = disk_.files.size();
    const std::uint32_t crc = crc32c(std::string_view(area).substr(0, 124));
    std::memcpy(area.data() + 124, &crc, 4);
    disk_.content("1.log").replace(0, 4096, area, 0, 4096);
    recovery_report report;
    const auto opened = store::open(settings_, disk_, clock_, random_, report);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, std::errc::not_supported);
    EXPECT_EQ(disk_.files.size(), before);
}

TEST_F(fault_test, damaged_marks_cost_a_delivery_and_no_event) {
    stored("a");
    stored("b");
    mark_as(mark_kind::delivered, {1});
    mark_as(mark_kind::delivered, {2});
    disk_.content(".marks")[marks_header_bytes + 9] ^= 1;
    reopen();
    EXPECT_THAT(pending(), ElementsAre("a"));
}

TEST_F(fault_test, a_mark_that_ends_in_zeros_counts_at_the_end_of_the_file_too) {
    stored("a");
    mark_as(mark_kind::dead, {1}); // no excerpt: the record ends in zeros
    reopen();
    EXPECT_EQ(events().dead, 1u);
    fail("sync", ".0.marks", EIO); // all of it goes to a new file
    std::vector<mark_job> jobs(1);
    jobs[0].durable = true;
    jobs[0].marks.push_back({1, mark_kind::dead, {}, {}});
    store_->commit({}, jobs);
    EXPECT_TRUE(jobs[0].outcome);
    EXPECT_EQ(disk_.count(".1.marks"), 1u);
    stop_failing();
    disk_.content(".0.marks").clear();
    reopen();
    EXPECT_EQ(events().dead, 1u);
}

TEST_F(fault_test, a_damaged_header_of_marks_is_written_again) {
    stored("a");
    stored("b");
    mark_as(mark_kind::delivered, {1});
    disk_.content(".marks")[16] ^= 1;
    reopen();
    EXPECT_THAT(pending(), ElementsAre("b"));
    EXPECT_FALSE(decode_marks_header(disk_.content(".marks")));
    mark_as(mark_kind::delivered, {2});
    EXPECT_TRUE(decode_marks_header(disk_.content(".marks")));
    reopen();
    EXPECT_EQ(events().delivered, 2u);
}

TEST_F(fault_test, a_body_that_imitates_a_frame_does_not_become_an_event) {
    std::string fake;
    new_event forged = event("forged");
    encode_event(fake, forged, 2, 0, salt_of(12345)); // the seed is not known outside
    new_event carrier = event("carrier");
    carrier.body = "{\"pad\":\"" + fake + "\"}";
    append({carrier, event("next")}).value();
    flip("1.log", "{\"pad\"");
    reopen();
    EXPECT_THAT(pending(), ElementsAre("next"));
    EXPECT_EQ(events().lost, 1u);
}

TEST_F(fault_test, sync_interval_syncs_within_a_second_and_never_only_at_the_end) {
    settings_.sync = sync_policy::interval;
    reopen();
    disk_.calls.clear();
    stored("a");
    stored("b");
    EXPECT_EQ(disk_.calls["sync"], 0);
    pass(1s);
    EXPECT_EQ(disk_.calls["sync"], 1);
    settings_.sync = sync_policy::never;
    reopen();
    disk_.calls.clear();
    stored("c");
    pass(5s);
    EXPECT_EQ(disk_.calls["sync"], 0);
    store_->close();
    EXPECT_GE(disk_.calls["sync"], 1);
}

} // namespace
} // namespace linkrunner::spool
