#include "spool/queue.hpp"

#include "support/virtual_loop.hpp"
#include "unit/spool/memory_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

namespace linkrunner::spool {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

new_event make_event(const std::string& id, std::uint8_t lane = 0) {
    new_event out;
    out.lane = lane;
    out.accepted_at = system_clock().wall();
    out.event_id = id;
    out.body = "{\"event_id\":\"" + id + "\"}";
    out.identity = hash128(1, {id});
    out.body_hash = hash64(1, out.body);
    return out;
}

mark make_mark(sequence number, mark_kind kind) {
    mark out;
    out.number = number;
    out.kind = kind;
    return out;
}

// In virtual time, each round a task of the loop.
class queue_on_loop_test : public ::testing::Test {
  protected:
    queue_on_loop_test() { open(); }

    void open(settings options = {}) {
        queue_.reset();
        options.directory = "/spool";
        recovery_report report;
        queue_ = queue::open_on_loop(options, disk_, clock_, loop_, random_, report, [this](double) {
                     ++syncs_;
                 }).value();
    }
    result<std::vector<appended>> append(std::vector<new_event> events) {
        result<std::vector<appended>> got = make_error(std::errc::timed_out, "no answer");
        queue_->append(std::move(events), [&](const auto& outcome) { got = outcome; });
        loop_.run_ready();
        return got;
    }
    std::vector<std::string> read(std::uint8_t lane = 0) {
        std::vector<std::string> ids;
        queue_->read(lane, 0, 100, 1 << 20, [&](result<batch> got) {
            for (const stored_event& each : got.value().events) {
                ids.push_back(each.event_id);
            }
        });
        loop_.run_ready();
        return ids;
    }

    test::memory_disk disk_;
    test::virtual_clock clock_;
    test::virtual_loop loop_{clock_};
    seeded_random random_{3};
    int syncs_ = 0;
    std::unique_ptr<queue> queue_;
};

TEST_F(queue_on_loop_test, appends_marks_and_reads_of_one_turn_share_a_round) {
    std::vector<std::string> order;
    std::uint32_t lanes = 0;
    queue_->on_stored([&](std::uint32_t which) { lanes |= which; });
    queue_->append({make_event("a")}, [&](const auto& done) { order.push_back(done ? "a" : "failed"); });
    queue_->append({make_event("b", 4)}, [&](const auto& done) { order.push_back(done ? "b" : "failed"); });
    EXPECT_GT(queue_->uncommitted_bytes(), 0u);
    loop_.run_ready();
    EXPECT_THAT(order, ElementsAre("a", "b"));
    EXPECT_EQ(queue_->uncommitted_bytes(), 0u);
    EXPECT_EQ(lanes, 1u | 1u << 4);
    EXPECT_EQ(syncs_, 1);
    EXPECT_EQ(queue_->status().events.pending, 2u);
    EXPECT_EQ(queue_->status().next, 3u);
    EXPECT_THAT(read(4), ElementsAre("b"));
}

TEST_F(queue_on_loop_test, a_watch_is_told_once_when_the_end_is_recorded_or_known) {
    ASSERT_TRUE(append({make_event("a"), make_event("b")}));
    std::vector<mark_kind> told;
    queue_->watch(1, [&](mark_kind how) { told.push_back(how); });
    const watch_id removed = queue_->watch(1, [&](mark_kind how) { told.push_back(how); });
    queue_->unwatch(removed);
    loop_.run_ready();
    EXPECT_TRUE(told.empty());
    queue_->record({make_mark(1, mark_kind::sending), make_mark(1, mark_kind::delivered)});
    loop_.run_ready();
    EXPECT_THAT(told, ElementsAre(mark_kind::delivered));
    queue_->watch(1, [&](mark_kind how) { told.push_back(how); });
    loop_.run_ready();
    EXPECT_EQ(told.size(), 2u);
}

TEST_F(queue_on_loop_test, a_durable_mark_is_synced_before_its_callback_others_within_a_second) {
    ASSERT_TRUE(append({make_event("a"), make_event("b")}));
    disk_.calls.clear();
    queue_->record({make_mark(1, mark_kind::delivered)});
    loop_.run_ready();
    EXPECT_EQ(disk_.calls["sync"], 0);
    loop_.run_for(1s);
    EXPECT_EQ(disk_.calls["sync"], 1);
    bool durable = false;
    queue_->record({make_mark(2, mark_kind::sending)}, [&](const result<void>& done) {
        durable = done.has_value();
        EXPECT_EQ(disk_.calls["sync"], 2);
    });
    loop_.run_ready();
    EXPECT_TRUE(durable);
}

TEST_F(queue_on_loop_test, an_idle_queue_sets_no_timers) {
    ASSERT_TRUE(append({make_event("a")}));
    queue_->record({make_mark(1, mark_kind::delivered)});
    loop_.run_for(3s);
    EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(queue_on_loop_test, refusals_carry_their_code_and_end_when_the_cause_does) {
    std::vector<std::string> findings;
    queue_->on_finding([&](const std::string& text) { findings.push_back(text); });
    disk_.failing = [](std::string_view call, const std::string&) { return call == "write" ? ENOSPC : 0; };
    const auto refused = append({make_event("a")});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refusal_of(refused.error()), refusal::disk_full);
    EXPECT_EQ(queue_->status().refusing, refusal::disk_full);
    disk_.failing = {};
    loop_.run_for(2s);
    EXPECT_EQ(queue_->status().refusing, refusal::none);
    EXPECT_TRUE(append({make_event("a")}));
    EXPECT_EQ(findings.size(), 2u);
}

TEST_F(queue_on_loop_test, what_is_dropped_to_make_room_is_asked_for_first_and_told_to_who_waits) {
    settings options;
    options.max_bytes = 1 << 20;
    options.when_full = full_policy::drop_oldest;
    options.last_lane = 0;
    open(options);
    loop_.run_for(2s);
    const auto fill = [this] {
        for (int i = 0; i < 600; ++i) {
            new_event big = make_event(std::to_string(queue_->status().next));
            big.body.resize(1000, ' ');
            const auto outcome = append({big});
            ASSERT_TRUE(outcome) << outcome.error().message;
            loop_.run_for(20ms);
        }
    };
    int ended = 0;
    queue_->watch(1, [&](mark_kind) { ADD_FAILURE() << "it is held"; });
    queue_->watch(2, [&](mark_kind how) { ended += how == mark_kind::dropped ? 1 : 100; });
    fill();
    EXPECT_EQ(queue_->status().events.dropped, 0u) << "nobody was there to be asked";
    std::vector<sequence> told;
    queue_->on_drop({[](sequence first, sequence) {
                         return first == 1 ? std::vector<sequence>{1} : std::vector<sequence>{};
                     },
                     [&](sequence, sequence, const std::vector<sequence>& gone) {
                         told.insert(told.end(), gone.begin(), gone.end());
                     }});
    loop_.run_ready();
    for (int i = 0; i < 4; ++i) {
        fill();
        loop_.run_for(2s);
    }
    EXPECT_EQ(ended, 1);
    EXPECT_GT(queue_->status().events.dropped, 1000u);
    EXPECT_EQ(told.size(), queue_->status().events.dropped);
    EXPECT_EQ(read().front(), "1");
    queue_->on_drop({});
    queue_->close();
}

TEST_F(queue_on_loop_test, a_sender_that_is_faster_than_room_can_be_made_waits_for_it_and_is_not_refused) {
    settings options;
    options.max_bytes = 1 << 20;
    options.when_full = full_policy::drop_oldest;
    options.last_lane = 0;
    open(options);
    queue_->on_drop({[](sequence, sequence) { return std::vector<sequence>{}; },
                     [](sequence, sequence, const std::vector<sequence>&) {}});
    int stored = 0;
    std::string refused;
    for (int i = 0; i < 1000; ++i) { // ten times what there is room for, before a word is heard
        new_event big = make_event(std::to_string(i));
        big.body.resize(10'000, ' ');
        queue_->append({big}, [&](const auto& done) {
            stored += done ? 1 : 0;
            refused = done ? refused : done.error().message;
        });
    }
    loop_.run_for(3s);
    EXPECT_EQ(stored, 1000) << refused;
    EXPECT_EQ(queue_->status().refusing, refusal::none);
    EXPECT_LE(queue_->status().bytes, options.max_bytes);
    EXPECT_EQ(queue_->status().events.accepted, 1000u);
    EXPECT_EQ(read().back(), "999");
}

TEST_F(queue_on_loop_test, what_waits_for_room_is_refused_after_a_second_when_nobody_says_what_may_go) {
    settings options;
    options.max_bytes = 1 << 20;
    options.when_full = full_policy::drop_oldest;
    options.last_lane = 0;
    open(options);
    int stored = 0;
    std::vector<refusal> refusals;
    const auto send = [&](int count) {
        for (int i = 0; i < count; ++i) {
            new_event big = make_event(std::to_string(queue_->status().next) + "." + std::to_string(i));
            big.body.resize(10'000, ' ');
            queue_->append({big}, [&](const auto& done) {
                stored += done ? 1 : 0;
                if (!done) {
                    refusals.push_back(refusal_of(done.error()));
                }
            });
        }
    };
    send(200);
    loop_.run_for(900ms);
    EXPECT_GT(stored, 50);
    EXPECT_TRUE(refusals.empty());
    loop_.run_for(200ms);
    EXPECT_EQ(stored + static_cast<int>(refusals.size()), 200);
    EXPECT_THAT(refusals, testing::Each(refusal::queue_full));
    send(1); // what waits at the end is answered too
    queue_->close();
    loop_.run_ready();
    EXPECT_EQ(stored + static_cast<int>(refusals.size()), 201);
}

TEST_F(queue_on_loop_test, close_answers_what_is_in_hand_and_refuses_the_rest) {
    bool stored = false;
    queue_->append({make_event("a")}, [&](const auto& done) { stored = done.has_value(); });
    queue_->close();
    queue_->close();
    loop_.run_ready();
    EXPECT_TRUE(stored);
    EXPECT_EQ(append({make_event("b")}).error().code, std::errc::operation_canceled);
    open();
    EXPECT_THAT(read(), ElementsAre("a"));
}

TEST_F(queue_on_loop_test, a_queue_may_go_away_before_its_tasks_run) {
    queue_->append({make_event("a")}, [](const auto&) {});
    queue_.reset();
    loop_.run_for(5s);
}

// A loop that the test's own thread runs; tasks come from the disk thread too.
class hand_loop final : public loop {
  public:
    void post(task work) override {
        const std::lock_guard lock(guard_);
        ready_.push_back(std::move(work));
        wake_.notify_one();
    }
    timer_id call_at(steady_time when, task work) override {
        timers_.emplace(++last_, std::pair(when, std::move(work)));
        return last_;
    }
    void cancel(timer_id id) override { timers_.erase(id); }

    template <class Condition>
    void run_until(Condition holds) {
        while (!holds()) {
            std::unique_lock lock(guard_);
            ASSERT_TRUE(wake_.wait_for(lock, 20s, [this] { return !ready_.empty(); }));
            const task next = std::move(ready_.front());
            ready_.pop_front();
            lock.unlock();
            next();
        }
    }
    // Runs the timers that are due at `now`.
    void run_timers(steady_time now) {
        for (auto each = timers_.begin(); each != timers_.end(); each = timers_.begin()) {
            ASSERT_LE(each->second.first, now);
            const task next = std::move(each->second.second);
            timers_.erase(each);
            next();
            return;
        }
    }

  private:
    std::mutex guard_;
    std::condition_variable wake_;
    std::deque<task> ready_;
    std::map<timer_id, std::pair<steady_time, task>> timers_;
    timer_id last_ = 0;
};

TEST(queue_test, thousands_of_appends_are_stored_in_order_by_the_disk_thread) {
    std::string directory = (std::filesystem::temp_directory_path() / "queue_test_XXXXXX").string();
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    const auto files = make_posix_disk();
    system_clock time;
    hand_loop loop;
    system_random random;
    settings options;
    options.directory = directory;
    options.segment_bytes = 64 << 10;
    recovery_report report;
    constexpr int count = 5000;
    {
        auto queue = queue::open(options, *files, time, loop, random, report).value();
        int answered = 0;
        for (int i = 0; i < count; ++i) {
            queue->append({make_event(std::to_string(i))}, [&, i](const auto& done) {
                ASSERT_TRUE(done);
                EXPECT_EQ(done->front().number, static_cast<sequence>(i + 1));
                ++answered;
            });
            if (i % 3 == 0) {
                queue->record({make_mark(static_cast<sequence>(i / 2 + 1), mark_kind::delivered)});
            }
        }
        loop.run_until([&] { return answered == count; });
        EXPECT_LT(queue->status().commits, static_cast<std::uint64_t>(count));
    }
    auto queue = queue::open(options, *files, time, loop, random, report).value();
    EXPECT_EQ(queue->status().events.accepted, static_cast<std::uint64_t>(count));
    EXPECT_EQ(report.lost, 0u);
    queue.reset();
    std::filesystem::remove_all(directory);
}

TEST(queue_test, a_disk_call_that_does_not_return_is_a_refusal_not_a_hang) {
    test::memory_disk files;
    test::virtual_clock time;
    hand_loop loop;
    system_random random;
    settings options;
    options.directory = "/spool";
    recovery_report report;
    std::mutex guard;
    std::condition_variable changed;
    bool stuck = false;
    bool release = false;
    files.failing = [&](std::string_view call, const std::string& path) {
        if (call == "sync" && path.find(".log") != std::string::npos) {
            std::unique_lock lock(guard);
            stuck = true;
            changed.notify_all();
            changed.wait(lock, [&] { return release; });
        }
        return 0;
    };
    release = true;
    auto queue = queue::open(options, files, time, loop, random, report).value();
    release = false;
    stuck = false;
    bool first_stored = false;
    queue->append({make_event("a")}, [&](const auto& done) { first_stored = done.has_value(); });
    {
        std::unique_lock lock(guard);
        ASSERT_TRUE(changed.wait_for(lock, 20s, [&] { return stuck; }));
    }
    time.advance_to(time.steady() + 6s);
    loop.run_timers(time.steady());
    EXPECT_EQ(queue->status().refusing, refusal::disk_stalled);
    refusal why = refusal::none;
    queue->append({make_event("b")}, [&](const auto& done) { why = refusal_of(done.error()); });
    loop.run_until([&] { return why != refusal::none; });
    EXPECT_EQ(why, refusal::disk_stalled);
    {
        const std::lock_guard lock(guard);
        release = true;
        changed.notify_all();
    }
    loop.run_until([&] { return first_stored; });
    EXPECT_EQ(queue->status().refusing, refusal::none);
    queue->close();
}

} // namespace
} // namespace linkrunner::spool
