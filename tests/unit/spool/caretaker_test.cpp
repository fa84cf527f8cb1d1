// Dead letters and the audit, as an operator asks for them while the spool works.
#include "spool/caretaker.hpp"

#include "support/virtual_loop.hpp"
#include "unit/spool/memory_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::spool {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

dead_filter because(dead_reason reason) {
    dead_filter out;
    out.reason = reason;
    return out;
}

dead_filter named(const std::string& name) {
    dead_filter out;
    out.name = name;
    return out;
}

dead_filter with_id(const std::string& event_id) {
    dead_filter out;
    out.event_id = event_id;
    return out;
}

dead_filter numbered(std::vector<sequence> numbers) {
    dead_filter out;
    out.numbers = std::move(numbers);
    return out;
}

dead_query with_bodies(std::size_t max_bytes = 1 << 20) {
    dead_query out;
    out.bodies = true;
    out.max_bytes = max_bytes;
    return out;
}

class dead_letters_test : public ::testing::Test {
  protected:
    dead_letters_test() {
        options_.directory = "/spool";
        options_.segment_bytes = 32 << 10;
        open();
    }

    void open() {
        subject_.reset();
        queue_.reset();
        recovery_report report;
        queue_ = queue::open_on_loop(options_, disk_, clock_, loop_, random_, report).value();
        subject_ = std::make_unique<caretaker>(
            *queue_, caretaker::hooks{[this](const auto& which) {
                                          replayed_.insert(replayed_.end(), which.begin(), which.end());
                                      },
                                      [this](std::uint64_t count) { dropped_ += count; }});
    }

    // Events with these names, all of them dead for this reason.
    void bury(int count, const std::string& name, dead_reason reason, std::uint8_t lane = 0) {
        std::vector<new_event> events;
        for (int i = 0; i < count; ++i) {
            new_event& one = events.emplace_back();
            const std::string id = std::to_string(++accepted_);
            one.lane = lane;
            one.accepted_at = clock_.wall();
            one.name = name;
            one.event_id = "id-" + id;
            one.body = R"({"event_name":")" + name + R"(","event_id":"id-)" + id + "\"}";
            one.identity = hash128(1, {id});
        }
        queue_->append(std::move(events), [](const auto& done) { EXPECT_TRUE(done); });
        loop_.run_ready();
        std::vector<mark> marks;
        for (int i = 0; i < count; ++i) {
            mark& one = marks.emplace_back();
            one.number = static_cast<sequence>(accepted_ - count + 1 + i);
            one.kind = mark_kind::dead;
            one.letter = {
                reason, 400, 2, clock_.wall(), clock_.wall(), false, "answer " + std::to_string(one.number)};
        }
        queue_->record(std::move(marks));
        loop_.run_ready();
    }

    dead_page list(dead_query what = {}) {
        result<dead_page> got = make_error(std::errc::timed_out, "no answer");
        subject_->list(std::move(what), [&](result<dead_page> page) { got = std::move(page); });
        loop_.run_ready();
        EXPECT_TRUE(got) << got.error().message;
        return got ? std::move(*got) : dead_page{};
    }
    std::vector<sequence> numbers(dead_query what = {}) {
        std::vector<sequence> out;
        for (const dead_event& each : list(std::move(what)).events) {
            out.push_back(each.event.number);
        }
        return out;
    }
    std::vector<sequence> chosen(dead_filter which) {
        dead_query what;
        what.filter = std::move(which);
        return numbers(what);
    }
    std::uint64_t replay(dead_filter which) {
        result<std::uint64_t> got = make_error(std::errc::timed_out, "no answer");
        subject_->replay(std::move(which), [&](result<std::uint64_t> done) { got = std::move(done); });
        loop_.run_ready();
        EXPECT_TRUE(got) << got.error().message;
        return got ? *got : 0;
    }
    result<std::uint64_t> drop(dead_filter which) {
        result<std::uint64_t> got = make_error(std::errc::timed_out, "no answer");
        subject_->drop(std::move(which), [&](result<std::uint64_t> done) { got = std::move(done); });
        loop_.run_ready();
        return got;
    }
    const ledger& events() const { return queue_->status().events; }

    settings options_;
    test::memory_disk disk_;
    test::virtual_clock clock_;
    test::virtual_loop loop_{clock_};
    seeded_random random_{3};
    std::unique_ptr<queue> queue_;
    std::unique_ptr<caretaker> subject_;
    std::vector<std::pair<std::uint8_t, sequence>> replayed_;
    std::uint64_t dropped_ = 0;
    int accepted_ = 0;
};

TEST_F(dead_letters_test, are_listed_with_what_is_known_of_them) {
    bury(2, "cart_added", dead_reason::rejected, 3);
    const dead_page page = list(with_bodies());
    ASSERT_EQ(page.events.size(), 2u);
    EXPECT_TRUE(page.at_end);
    const dead_event& one = page.events[1];
    EXPECT_EQ(one.event.number, 2u);
    EXPECT_EQ(one.event.event_id, "id-2");
    EXPECT_EQ(one.event.name, "cart_added");
    EXPECT_EQ(one.event.lane, 3);
    EXPECT_THAT(one.event.body, HasSubstr("id-2"));
    ASSERT_TRUE(one.letter);
    EXPECT_EQ(one.letter->reason, dead_reason::rejected);
    EXPECT_EQ(one.letter->last_status, 400);
    EXPECT_EQ(one.letter->attempts, 2u);
    EXPECT_EQ(one.letter->excerpt, "answer 2");
    EXPECT_TRUE(list().events[0].event.body.empty());
    EXPECT_GT(list().events[0].body_bytes, 0u);
}

TEST_F(dead_letters_test, are_listed_in_pages_over_all_segments) {
    for (int part = 0; part < 15; ++part) {
        bury(100, "cart_added", dead_reason::rejected);
    }
    EXPECT_GT(disk_.files.size(), 4u);
    std::vector<sequence> all;
    dead_query what;
    what.max_events = 70;
    for (int pages = 0; pages < 100; ++pages) {
        const dead_page page = list(what);
        for (const dead_event& each : page.events) {
            all.push_back(each.event.number);
            EXPECT_EQ(each.letter->excerpt, "answer " + std::to_string(each.event.number));
        }
        EXPECT_TRUE(page.at_end || page.events.size() == 70);
        if (page.at_end) {
            break;
        }
        what.from = page.next;
    }
    ASSERT_EQ(all.size(), 1500u);
    EXPECT_EQ(all.front(), 1u);
    EXPECT_EQ(all.back(), 1500u);
    EXPECT_TRUE(std::ranges::is_sorted(all));
}

TEST_F(dead_letters_test, are_chosen_by_reason_name_id_and_number) {
    bury(2, "cart_added", dead_reason::rejected);
    bury(2, "purchase", dead_reason::attempts);
    bury(1, "cart_added", dead_reason::attempts);
    EXPECT_THAT(chosen(because(dead_reason::attempts)), ElementsAre(3, 4, 5));
    EXPECT_THAT(chosen(named("cart_added")), ElementsAre(1, 2, 5));
    dead_filter both = because(dead_reason::attempts);
    both.name = "cart_added";
    EXPECT_THAT(chosen(both), ElementsAre(5));
    EXPECT_THAT(chosen(with_id("id-4")), ElementsAre(4));
    EXPECT_THAT(chosen(numbered({2, 4, 77})), ElementsAre(2, 4));
    EXPECT_THAT(chosen(named("no_such")), IsEmpty());
}

TEST_F(dead_letters_test, bodies_of_a_page_stay_within_its_bytes) {
    bury(50, "cart_added", dead_reason::rejected);
    const std::size_t one = list().events[0].body_bytes;
    const dead_page page = list(with_bodies(10 * one));
    EXPECT_GE(page.events.size(), 9u);
    EXPECT_LE(page.events.size(), 11u);
    EXPECT_FALSE(page.at_end);
}

TEST_F(dead_letters_test, of_compacted_segments_keep_their_letters) {
    for (int part = 0; part < 20; ++part) {
        bury(100, "cart_added", dead_reason::attempts);
    }
    dead_filter most;
    for (sequence number = 1; number <= 2000; ++number) {
        if (number % 100 != 0) {
            most.numbers.push_back(number);
        }
    }
    const auto files = disk_.files.size();
    EXPECT_EQ(*drop(most), 1980u);
    loop_.run_for(std::chrono::minutes(1));
    EXPECT_LT(disk_.files.size(), files);
    const dead_page page = list(with_bodies());
    ASSERT_EQ(page.events.size(), 20u);
    for (const dead_event& each : page.events) {
        EXPECT_EQ(each.event.number % 100, 0u);
        ASSERT_TRUE(each.letter);
        EXPECT_EQ(each.letter->reason, dead_reason::attempts);
        EXPECT_EQ(each.letter->excerpt, "answer " + std::to_string(each.event.number));
        EXPECT_THAT(each.event.body, HasSubstr(each.event.event_id));
    }
    EXPECT_EQ(replay({}), 20u);
    EXPECT_EQ(events().pending, 20u);
}

TEST_F(dead_letters_test, that_are_replayed_are_pending_again_in_their_old_place_and_stay_so) {
    bury(4, "cart_added", dead_reason::rejected, 2);
    EXPECT_EQ(replay(numbered({2, 3})), 2u);
    EXPECT_THAT(replayed_, ElementsAre(Pair(2, 2), Pair(2, 3)));
    EXPECT_EQ(events().pending, 2u);
    EXPECT_EQ(events().dead, 2u);
    EXPECT_THAT(numbers(), ElementsAre(1, 4));
    EXPECT_EQ(replay(numbered({2, 3})), 0u); // they are not dead any more
    queue_.reset();                          // without a close: what was answered is on the disk
    open();
    EXPECT_EQ(events().pending, 2u);
    std::vector<std::string> ids;
    queue_->read(2, 0, 10, 1 << 20, [&](result<batch> got) {
        for (const stored_event& each : got->events) {
            ids.push_back(each.event_id);
        }
    });
    loop_.run_ready();
    EXPECT_THAT(ids, ElementsAre("id-2", "id-3"));
}

TEST_F(dead_letters_test, that_die_again_tell_of_their_last_death) {
    bury(1, "cart_added", dead_reason::rejected);
    replay({});
    mark again;
    again.number = 1;
    again.kind = mark_kind::dead;
    again.letter.reason = dead_reason::age;
    again.letter.excerpt = "too old";
    queue_->record({again});
    loop_.run_ready();
    EXPECT_EQ(list().events.at(0).letter->excerpt, "too old");
    EXPECT_THAT(chosen(because(dead_reason::rejected)), IsEmpty());
}

TEST_F(dead_letters_test, are_replayed_all_at_once_in_stretches) {
    bury(3000, "cart_added", dead_reason::rejected);
    EXPECT_EQ(replay({}), 3000u);
    EXPECT_EQ(replayed_.size(), 3000u);
    EXPECT_EQ(events().pending, 3000u);
    EXPECT_EQ(events().dead, 0u);
}

TEST_F(dead_letters_test, that_are_dropped_are_gone_and_counted) {
    bury(3, "cart_added", dead_reason::rejected);
    bury(1, "purchase", dead_reason::rejected);
    EXPECT_EQ(*drop(named("cart_added")), 3u);
    EXPECT_EQ(dropped_, 3u);
    EXPECT_EQ(events().dropped, 3u);
    EXPECT_THAT(numbers(), ElementsAre(4));
    queue_.reset();
    open();
    EXPECT_EQ(events().dropped, 3u);
    EXPECT_EQ(events().dead, 1u);
}

TEST_F(dead_letters_test, a_change_that_cannot_be_synced_is_not_called_done) {
    bury(1, "cart_added", dead_reason::rejected);
    loop_.run_for(std::chrono::seconds(3));
    disk_.failing = [](std::string_view call, const std::string& path) {
        return call == "sync" && path.find(".marks") != std::string::npos ? EIO : 0;
    };
    const auto done = drop({});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("after a crash"));
    disk_.failing = {};
}

TEST_F(dead_letters_test, whose_mark_has_gone_bad_are_shown_without_a_reason) {
    bury(2, "cart_added", dead_reason::rejected);
    loop_.run_for(std::chrono::seconds(3));
    for (auto& [path, content] : disk_.files) {
        const std::size_t at = path.ends_with(".marks") ? content->find("answer 2") : std::string::npos;
        if (at != std::string::npos) {
            (*content)[at] ^= 1;
        }
    }
    const dead_page page = list();
    ASSERT_EQ(page.events.size(), 2u);
    EXPECT_TRUE(page.events[0].letter);
    EXPECT_FALSE(page.events[1].letter);
}

TEST_F(dead_letters_test, nothing_is_answered_by_a_closed_spool_but_that_it_is_closed) {
    bury(1, "cart_added", dead_reason::rejected);
    queue_->close();
    const auto done = drop({});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, std::errc::operation_canceled);
}

TEST_F(dead_letters_test, an_audit_of_a_working_spool_agrees) {
    bury(300, "cart_added", dead_reason::rejected);
    drop(numbered({1, 2}));
    replay(numbered({3}));
    result<audit_report> got = make_error(std::errc::timed_out, "no answer");
    subject_->audit([&](result<audit_report> report) { got = std::move(report); });
    loop_.run_ready();
    ASSERT_TRUE(got);
    EXPECT_THAT(got->differences, IsEmpty());
    EXPECT_EQ(got->recounted.accepted, 300u);
    EXPECT_EQ(got->recounted.dead, 297u);
    EXPECT_EQ(got->recounted.dropped, 2u);
    EXPECT_EQ(got->recounted.pending, 1u);
}

} // namespace
} // namespace linkrunner::spool
