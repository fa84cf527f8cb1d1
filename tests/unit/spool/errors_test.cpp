// Every error of every call that the spool makes: it stays up, refuses events with the right code, goes on
// delivering and recording, and recovers by itself when the cause is gone.
#include "unit/spool/store_fixture.hpp"

#include <set>
#include <tuple>

namespace linkrunner::spool {
namespace {

using ::testing::Combine;
using ::testing::Values;
using namespace std::chrono_literals;

struct failing_call {
    const char* call;
    const char* part; // of the path
};

class errors_test : public store_fixture,
                    public ::testing::WithParamInterface<std::tuple<failing_call, int>> {
  protected:
    errors_test() {
        settings_.segment_bytes = 64 << 10;
        open();
    }
};

TEST_P(errors_test, is_a_state_that_ends_with_its_cause) {
    const auto& [where, number] = GetParam();
    const bool full = number == ENOSPC || number == EDQUOT;
    std::set<std::string> accepted;
    for (int i = 0; i < 100; ++i) {
        stored("before-" + std::to_string(i), 0, 500);
        accepted.insert("before-" + std::to_string(i));
    }
    std::vector<sequence> ended;
    for (sequence each = 1; each <= 50; ++each) { // segments are finished, and compacted, meanwhile
        ended.push_back(each);
        accepted.erase("before-" + std::to_string(each - 1));
    }
    fail(where.call, where.part, number);
    mark_as(mark_kind::delivered, {ended.begin(), ended.begin() + 20});
    for (int i = 0; i < 200; ++i) {
        const std::string id = "during-" + std::to_string(i);
        const auto outcome = append({event(id, 0, 500)});
        if (outcome) {
            accepted.insert(id);
            continue;
        }
        const refusal why = refusal_of(outcome.error());
        EXPECT_TRUE(why == refusal::disk_error || (full && why == refusal::disk_full)) << word_for(why);
        EXPECT_EQ(store_->status().refusing, why);
    }
    if (std::string_view(where.call) != "open") {
        EXPECT_TRUE(store_->read(0, 0, 10, 1 << 20)) << "deliveries go on";
    }
    mark_as(mark_kind::delivered, {ended.begin() + 20, ended.end()});
    for (int second = 0; second < 5; ++second) {
        pass(1s);
    }
    EXPECT_EQ(events().delivered, ended.size());
    EXPECT_TRUE(adds_up());
    stop_failing();
    for (int second = 0; second < 15; ++second) {
        pass(1s);
    }
    EXPECT_EQ(store_->status().refusing, refusal::none);
    stored("after");
    accepted.insert("after");
    for (int restart = 0; restart < 2; ++restart) {
        const auto left = pending();
        EXPECT_EQ(std::set<std::string>(left.begin(), left.end()), accepted);
        EXPECT_EQ(events().lost, 0u);
        EXPECT_EQ(events().delivered, ended.size());
        pass(1s);
        reopen();
    }
}

INSTANTIATE_TEST_SUITE_P(
    of_each_call, errors_test,
    Combine(Values(failing_call{"write", ".log"}, failing_call{"write", ".marks"},
                   failing_call{"write", "reserve"}, failing_call{"write", ".ids"}, failing_call{"write", ""},
                   failing_call{"sync", ".log"}, failing_call{"sync", ".marks"}, failing_call{"sync", ""},
                   failing_call{"open", ".log"}, failing_call{"open", ".marks"}, failing_call{"open", ".tmp"},
                   failing_call{"rename", ""}, failing_call{"remove", ""}, failing_call{"truncate", ""},
                   failing_call{"sync_directory", ""}),
            Values(ENOSPC, EDQUOT, EIO, EROFS, EMFILE)));

} // namespace
} // namespace linkrunner::spool
