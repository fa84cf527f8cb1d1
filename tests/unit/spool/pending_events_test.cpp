// Events that wait, listed in short stretches over many segments.
#include "spool/pending_events.hpp"

#include "spool/caretaker.hpp"
#include "support/virtual_loop.hpp"
#include "unit/spool/memory_disk.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace linkrunner::spool {
namespace {

class waiting_events : public testing::Test {
  protected:
    waiting_events() {
        settings options;
        options.directory = "/spool";
        options.segment_bytes = 64 << 10;
        recovery_report report;
        queue_ = queue::open_on_loop(options, disk_, clock_, loop_, random_, report).value();
        caretaker_ =
            std::make_unique<caretaker>(*queue_, caretaker::hooks{[](const auto&) {}, [](std::uint64_t) {}});
    }
    void store(int count) {
        for (int i = 0; i < count; ++i) {
            new_event event;
            event.lane = static_cast<std::uint8_t>(++stored_ % 2);
            event.accepted_at = clock_.wall();
            event.name = stored_ % 10 == 0 ? "tenth" : "e";
            event.event_id = std::to_string(stored_);
            event.identity = hash128(1, {event.event_id});
            event.body = "{\"x\":\"" + std::string(100, 'x') + "\"}";
            queue_->append({event}, [](const auto&) {});
            loop_.run_ready();
        }
    }
    void end(sequence number, mark_kind how) {
        mark one;
        one.number = number;
        one.kind = how;
        queue_->record({one});
        loop_.run_ready();
    }
    pending_page list(const pending_query& what) {
        result<pending_page> got = pending_page{};
        bool answered = false;
        caretaker_->list_pending(what, [&](result<pending_page> page) {
            got = std::move(page);
            answered = true;
        });
        loop_.run_ready();
        EXPECT_TRUE(answered);
        return std::move(*got);
    }

    test::memory_disk disk_;
    test::virtual_clock clock_;
    test::virtual_loop loop_{clock_};
    seeded_random random_{3};
    std::unique_ptr<queue> queue_;
    std::unique_ptr<caretaker> caretaker_;
    std::uint64_t stored_ = 0;
};

TEST_F(waiting_events, come_in_pages_without_gaps_or_repeats_over_all_segments) {
    store(3000);
    std::set<sequence> seen;
    pending_query what;
    what.max_events = 700;
    for (int pages = 0; pages < 10; ++pages) {
        const pending_page page = list(what);
        for (const pending_event& each : page.events) {
            EXPECT_TRUE(each.readable);
            EXPECT_TRUE(seen.insert(each.event.number).second);
        }
        what.from = page.next;
        if (page.at_end) {
            break;
        }
    }
    EXPECT_EQ(seen.size(), 3000U);
    EXPECT_EQ(*seen.rbegin(), 3000U);
}

TEST_F(waiting_events, are_found_far_behind) {
    store(3000);
    pending_query what;
    what.filter.event_id = "2999";
    const pending_page page = list(what);
    ASSERT_EQ(page.events.size(), 1U);
    EXPECT_EQ(page.events[0].event.number, 2999U);
    EXPECT_TRUE(page.at_end);
    what.filter = {};
    what.filter.name = "tenth";
    what.max_events = 1000;
    EXPECT_EQ(list(what).events.size(), 300U);
    what.filter.lane = 1; // tenths are even
    EXPECT_TRUE(list(what).events.empty());
}

TEST_F(waiting_events, are_those_that_have_not_ended) {
    store(5);
    end(1, mark_kind::delivered);
    end(2, mark_kind::dead);
    end(3, mark_kind::sending);
    pending_query what;
    const pending_page page = list(what);
    ASSERT_EQ(page.events.size(), 3U);
    EXPECT_EQ(page.events[0].event.number, 3U);
    what.filter.number = 2;
    EXPECT_TRUE(list(what).events.empty());
    what.filter.number = 5;
    EXPECT_EQ(list(what).events.size(), 1U);
    what.filter.number = 99;
    EXPECT_TRUE(list(what).at_end);
}

TEST_F(waiting_events, are_bounded_in_bytes_but_one_comes_at_least) {
    store(50);
    pending_query what;
    what.max_bytes = 1;
    const pending_page one = list(what);
    EXPECT_EQ(one.events.size(), 1U);
    EXPECT_FALSE(one.at_end);
    EXPECT_EQ(one.next, 2U);
    what.max_bytes = 550;
    EXPECT_LE(list(what).events.size(), 6U);
}

TEST_F(waiting_events, end_with_an_error_when_the_spool_is_closed) {
    queue_->close();
    bool failed = false;
    caretaker_->list_pending({}, [&](const result<pending_page>& page) { failed = page.has_error(); });
    loop_.run_ready();
    EXPECT_TRUE(failed);
}

} // namespace
} // namespace linkrunner::spool
