// What --check and --audit say of a directory, and that they change nothing.
#include "spool/inspection.hpp"

#include "spool/file_names.hpp"
#include "spool/header.hpp"
#include "unit/spool/store_fixture.hpp"

namespace linkrunner::spool {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

class inspecting : public store_fixture {
  protected:
    // Compares the directory before and after, byte by byte.
    inspection look(bool in_use = false) {
        std::map<std::string, std::string> before;
        for (const auto& [path, content] : disk_.files) {
            before[path] = *content;
        }
        auto found = inspect(settings_, disk_, clock_, in_use);
        EXPECT_TRUE(found) << found.error().message;
        EXPECT_EQ(before.size(), disk_.files.size());
        for (const auto& [path, content] : disk_.files) {
            EXPECT_TRUE(before[path] == *content) << path << " was changed";
        }
        return found ? std::move(*found) : inspection{};
    }

    std::string& file(const std::string& name) { return *disk_.files.at("/spool/" + name); }
    std::string& first_segment() { return file(segment_name(1)); }
    std::size_t place_of(const std::string& text) {
        const std::size_t at = first_segment().find(text);
        EXPECT_NE(at, std::string::npos);
        return at;
    }

    // Twelve events: three delivered, two dead, one dropped, six pending in two lanes.
    void fill() {
        open();
        for (int number = 1; number <= 12; ++number) {
            stored("event-" + std::to_string(number), number % 2 == 0 ? 1 : 0, 100);
        }
        mark_as(mark_kind::delivered, {1, 2, 3});
        mark_as(mark_kind::dead, {4, 5});
        mark_as(mark_kind::dropped, {6});
    }

    static bool same(const ledger& left, const ledger& right) {
        return left.accepted == right.accepted && left.delivered == right.delivered &&
               left.dead == right.dead && left.dropped == right.dropped && left.lost == right.lost &&
               left.pending == right.pending && left.handed_off == right.handed_off;
    }
};

TEST_F(inspecting, a_spool_that_was_closed_in_order_finds_nothing_wrong) {
    fill();
    const ledger kept = events();
    store_->close();
    store_.reset();
    const inspection found = look();
    EXPECT_TRUE(found.well());
    EXPECT_TRUE(same(found.events, kept));
    EXPECT_TRUE(same(found.audit.recounted, kept));
    EXPECT_EQ(found.pending_by_lane[0], 3u);
    EXPECT_EQ(found.pending_by_lane[1], 3u);
    EXPECT_EQ(found.audit.frames, 12u);
    EXPECT_EQ(found.audit.marks, 6u);
    ASSERT_EQ(found.segments.size(), 1u);
    EXPECT_EQ(found.segments[0].first, 1u);
    EXPECT_EQ(found.segments[0].last, 12u);
    EXPECT_EQ(found.segments[0].pending, 6u);
    EXPECT_EQ(found.segments[0].dead, 2u);
    EXPECT_EQ(found.segments[0].ended, 4u);
    EXPECT_THAT(found.notes, IsEmpty());
}

TEST_F(inspecting, a_spool_in_use_finds_nothing_wrong) {
    fill();
    const inspection found = look(true);
    EXPECT_TRUE(found.well());
    EXPECT_TRUE(same(found.events, events()));
}

TEST_F(inspecting, names_file_offset_and_event_of_a_flipped_bit) {
    fill();
    store_.reset();
    const std::size_t at = place_of("event-8");
    first_segment()[at] ^= 1;
    const inspection found = look();
    EXPECT_FALSE(found.well());
    EXPECT_TRUE(found.audit.holds()); // it is counted as lost, in both counts
    ASSERT_EQ(found.damaged.size(), 1u);
    EXPECT_EQ(found.damaged[0].file, segment_name(1));
    EXPECT_THAT(found.damaged[0].what, HasSubstr("event 8 is damaged"));
    EXPECT_LE(found.damaged[0].offset, at);
    EXPECT_GT(found.damaged[0].offset + found.damaged[0].bytes, at);
    EXPECT_EQ(found.events.lost, 1u);
    EXPECT_EQ(found.events.pending, 5u);
}

TEST_F(inspecting, tells_a_damaged_mark) {
    fill();
    pass(std::chrono::seconds(2));
    store_.reset();
    file(marks_name(1, 0))[32 + 3 * 16 + 9] ^= 1; // of the first dead letter
    const inspection found = look();
    ASSERT_EQ(found.damaged.size(), 1u);
    EXPECT_EQ(found.damaged[0].file, marks_name(1, 0));
    EXPECT_EQ(found.damaged[0].offset, 32u + 3 * 16);
    EXPECT_EQ(found.events.dead, 1u);
    EXPECT_EQ(found.events.pending, 7u); // without its mark an event is sent again
}

TEST_F(inspecting, tells_a_damaged_header_and_a_missing_segment) {
    settings_.segment_bytes = 16 << 10;
    open();
    std::vector<std::string> names;
    for (int number = 1; number <= 60; ++number) {
        stored("event-" + std::to_string(number), 0, 1000);
    }
    store_.reset();
    for (const auto& [path, content] : disk_.files) {
        if (path.ends_with(".log")) {
            names.push_back(path.substr(7));
        }
    }
    ASSERT_GE(names.size(), 4u);
    file(names[0]).replace(0, 8192, 8192, 'x');
    disk_.files.erase("/spool/" + names[1]);
    const inspection found = look();
    EXPECT_THAT(found.damaged, Contains(Field(&damage::what, HasSubstr("both copies of the header"))));
    EXPECT_THAT(found.damaged, Contains(Field(&damage::what, HasSubstr("events are missing"))));
    EXPECT_EQ(found.events.accepted, 60u);
    EXPECT_GT(found.events.lost, 0u);
    EXPECT_EQ(imbalance(found.events), 0);
}

TEST_F(inspecting, a_torn_tail_is_no_damage) {
    fill();
    store_->close();
    store_.reset();
    const std::size_t size = first_segment().size();
    first_segment().resize(size - 20); // the closing frame, and nothing that was answered
    const inspection found = look();
    EXPECT_TRUE(found.well());
    EXPECT_EQ(found.events.lost, 0u);
    EXPECT_THAT(found.notes, ElementsAre(HasSubstr("never answered")));
}

TEST_F(inspecting, sees_totals_that_do_not_add_up) {
    fill();
    store_->close();
    store_.reset();
    auto totals = decode_totals(std::string_view(first_segment()).substr(0, header_area_bytes));
    ASSERT_TRUE(totals);
    totals->events.accepted += 5;
    totals->events.delivered += 4;
    ++totals->generation;
    for (const auto offset : totals_offsets) {
        const std::string bytes = encode_totals(*totals);
        first_segment().replace(offset, bytes.size(), bytes);
    }
    const inspection found = look();
    EXPECT_FALSE(found.audit.holds());
    EXPECT_NE(imbalance(found.events), 0);
    EXPECT_THAT(found.audit.differences, Contains(HasSubstr("do not add up")));
    EXPECT_THAT(found.audit.differences, Contains(HasSubstr("accepted is 1 more")));
}

class auditing : public inspecting {
  protected:
    audit_report run(const std::function<void()>& between = {}) {
        audit count(disk_, "/spool");
        while (count.step(store_->log(), events(), 4096)) {
            if (between) {
                between();
            }
        }
        return count.take();
    }
};

TEST_F(auditing, a_running_store_agrees_with_its_files) {
    fill();
    const audit_report found = run();
    EXPECT_THAT(found.differences, IsEmpty());
    EXPECT_TRUE(same(found.recounted, events()));
    EXPECT_EQ(found.frames, 12u);
}

TEST_F(auditing, goes_on_while_events_come_and_segments_go) {
    settings_.segment_bytes = 16 << 10;
    open();
    int number = 0;
    const auto add = [&] { stored("event-" + std::to_string(++number), 0, 900); };
    for (int round = 0; round < 100; ++round) {
        add();
    }
    sequence delivered = 0;
    int steps = 0;
    const audit_report found = run([&] {
        if (++steps < 60) {
            add();
            mark_as(mark_kind::delivered, {delivered + 1, delivered + 2});
            delivered += 2;
            pass(std::chrono::milliseconds(300));
        }
    });
    EXPECT_GT(events().delivered, 0u);
    EXPECT_THAT(found.differences, IsEmpty());
    EXPECT_TRUE(adds_up());
}

TEST_F(auditing, sees_an_event_whose_frame_has_gone_bad_since) {
    fill();
    first_segment()[place_of("event-9")] ^= 4;
    const audit_report found = run();
    EXPECT_THAT(found.differences, ElementsAre(HasSubstr("event 9 is kept as pending, its files say lost")));
    EXPECT_EQ(found.recounted.lost, 1u);
    EXPECT_EQ(found.recounted.pending, events().pending - 1);
    EXPECT_EQ(found.damaged.size(), 1u);
}

TEST_F(auditing, knows_compacted_segments) {
    settings_.segment_bytes = 16 << 10;
    open();
    std::vector<sequence> finished;
    for (int number = 1; number <= 200; ++number) {
        stored("event-" + std::to_string(number), 0, 900);
        if (number % 20 == 0) {
            mark_as(mark_kind::dead, {static_cast<sequence>(number)});
        } else if (number % 30 != 0) {
            finished.push_back(static_cast<sequence>(number));
        }
    }
    mark_as(mark_kind::delivered, finished);
    for (int second = 0; second < 30; ++second) {
        pass(std::chrono::seconds(1));
    }
    EXPECT_TRUE(std::ranges::any_of(store_->log().segments,
                                    [](const auto& each) { return each.second->header.sparse; }));
    const audit_report found = run();
    EXPECT_THAT(found.differences, IsEmpty());
    EXPECT_THAT(found.damaged, IsEmpty());
    EXPECT_EQ(found.recounted.dead, 10u);
    EXPECT_EQ(found.recounted.accepted, 200u);
    const ledger kept = events();
    store_.reset();
    const inspection offline = look();
    EXPECT_TRUE(offline.well());
    EXPECT_TRUE(same(offline.events, kept));
}

TEST_F(auditing, counts_marks_that_are_not_written_yet) {
    fill();
    pass(std::chrono::seconds(2));
    fail("write", ".marks", EIO);
    mark_as(mark_kind::delivered, {7});
    const audit_report found = run();
    EXPECT_THAT(found.differences, IsEmpty());
    EXPECT_EQ(found.recounted.delivered, 4u);
}

} // namespace
} // namespace linkrunner::spool
