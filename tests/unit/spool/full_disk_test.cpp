// A disk without a free byte: what was delivered is recorded, finished segments go, and events are taken
// again.
#include "spool/reserve.hpp"
#include "unit/spool/store_fixture.hpp"

namespace linkrunner::spool {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class full_disk_test : public store_fixture {
  protected:
    full_disk_test() { open(); }

    void fill() { disk_.capacity = disk_.used(); }

    // So many small events in each of several segments.
    std::vector<sequence> several_segments(int segments, int events) {
        std::vector<sequence> numbers;
        for (int i = 0; i < segments; ++i) {
            std::vector<new_event> group;
            for (int k = 0; k < events; ++k) {
                group.push_back(event(std::to_string(i) + "." + std::to_string(k)));
            }
            for (const appended& each : append(group).value()) {
                numbers.push_back(each.number);
            }
            reopen();
        }
        return numbers;
    }
};

TEST_F(full_disk_test, room_for_marks_is_there_before_an_event_is_taken) {
    for (int i = 0; i < 3000; ++i) {
        stored(std::to_string(i));
    }
    EXPECT_GE(disk_.content("/reserve").size(), 3000 * min_mark_bytes);
    EXPECT_EQ(store_->status().bytes, disk_.used()) << "it counts";
}

TEST_F(full_disk_test, ends_are_recorded_without_a_free_byte_and_survive_a_kill) {
    const auto numbers = several_segments(4, 500);
    fill();
    mark_as(mark_kind::delivered, {numbers.begin(), numbers.end() - 1});
    pass(1s);
    reopen();
    EXPECT_EQ(events().delivered, numbers.size() - 1);
    EXPECT_EQ(events().pending, 1u);
    EXPECT_TRUE(adds_up());
}

TEST_F(full_disk_test, finished_segments_go_and_events_are_taken_again) {
    const auto numbers = several_segments(4, 500);
    fill();
    const std::size_t before = disk_.used();
    EXPECT_FALSE(append({event("big", 0, 100'000)}));
    EXPECT_EQ(store_->status().refusing, refusal::disk_full);
    mark_as(mark_kind::delivered, numbers);
    pass(1s);
    pass(1s);
    EXPECT_EQ(disk_.count(".log"), 1u);
    EXPECT_LT(disk_.used(), before);
    EXPECT_EQ(store_->status().refusing, refusal::none);
    stored("again");
    EXPECT_EQ(append("0.1")->front().outcome, append_outcome::duplicate) << "identities found room";
}

TEST_F(full_disk_test, a_segment_that_is_not_full_goes_when_it_is_done_with) {
    const auto first = stored("a", 0, 20'000);
    fill();
    EXPECT_FALSE(append({event("big", 0, 100'000)}));
    mark_as(mark_kind::delivered, {first});
    pass(1s);
    pass(1s);
    EXPECT_EQ(disk_.count("1.log"), 0u);
    EXPECT_EQ(store_->status().refusing, refusal::none);
    stored("again", 0, 5'000);
}

TEST_F(full_disk_test, a_start_without_a_free_byte_only_delivers_and_sends_nothing_again) {
    const auto numbers = several_segments(3, 300);
    const auto last = stored("last");
    fill();
    mark_as(mark_kind::delivered, {numbers.begin(), numbers.begin() + 450});
    reopen();
    EXPECT_EQ(store_->status().refusing, refusal::disk_full);
    EXPECT_FALSE(append({event("refused")}));
    EXPECT_EQ(events().pending, 451u);
    mark_as(mark_kind::delivered, {numbers.begin() + 450, numbers.end()});
    reopen();
    EXPECT_THAT(pending(), ElementsAre("last"));
    mark_as(mark_kind::delivered, {last});
    pass(1s);
    pass(1s);
    EXPECT_EQ(store_->status().refusing, refusal::none);
    stored("again");
}

TEST_F(full_disk_test, touching_the_reserve_refuses_events_until_it_is_whole) {
    const auto numbers = several_segments(2, 2000);
    stored("keeps the newest segment");
    fill();
    std::string& room = disk_.content("/reserve");
    const std::size_t before = room.size();
    mark_as(mark_kind::delivered, {numbers.begin(), numbers.end() - 10});
    EXPECT_LT(room.size(), before);
    EXPECT_EQ(store_->status().refusing, refusal::disk_full);
    disk_.capacity = ~std::uint64_t{0};
    pass(1s);
    EXPECT_EQ(store_->status().refusing, refusal::none);
    store_->take_findings();
    pass(5s);
    EXPECT_THAT(store_->take_findings(), IsEmpty());
}

TEST_F(full_disk_test, trouble_is_said_once_however_long_it_lasts) {
    const auto numbers = several_segments(1, 3000);
    fail("write", "", ENOSPC);
    mark_as(mark_kind::delivered, {numbers[0], numbers[1]});
    for (int second = 0; second < 10; ++second) {
        pass(1s);
    }
    EXPECT_THAT(store_->take_findings(),
                ElementsAre(HasSubstr("disk_full"), HasSubstr("marks wait in memory")));
    EXPECT_EQ(events().delivered, 2u);
    stop_failing();
    pass(1s);
    reopen();
    EXPECT_EQ(events().delivered, 2u);
}

TEST_F(full_disk_test, the_reserve_shrinks_when_the_backlog_is_gone) {
    std::vector<sequence> numbers;
    for (int i = 0; i < 20'000; ++i) {
        numbers.push_back(stored(std::to_string(i)));
    }
    const std::size_t large = disk_.content("/reserve").size();
    mark_as(mark_kind::delivered, numbers);
    pass(1s);
    pass(1s);
    EXPECT_LT(disk_.content("/reserve").size(), large / 2);
}

TEST_F(full_disk_test, a_quota_is_a_full_disk_and_a_failing_one_is_not) {
    for (const auto& [number, why] : {std::pair{ENOSPC, refusal::disk_full},
                                      {EDQUOT, refusal::disk_full},
                                      {EIO, refusal::disk_error},
                                      {EROFS, refusal::disk_error},
                                      {EMFILE, refusal::disk_error}}) {
        store_.reset();
        disk_.files.erase("/spool/reserve");
        fail("open", "/reserve", number);
        open();
        EXPECT_EQ(store_->status().refusing, why) << number;
        stop_failing();
        pass(1s);
        EXPECT_EQ(store_->status().refusing, refusal::none) << number;
    }
}

} // namespace
} // namespace linkrunner::spool
