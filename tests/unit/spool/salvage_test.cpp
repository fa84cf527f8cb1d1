// What --repair makes of damaged directories.
#include "spool/salvage.hpp"

#include "base/crc32c.hpp"
#include "spool/dead_letters.hpp"
#include "spool/file_names.hpp"
#include "spool/set_aside.hpp"
#include "unit/spool/store_fixture.hpp"

namespace linkrunner::spool {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class salvaging : public store_fixture {
  protected:
    salvage_report repair() {
        store_.reset();
        const auto before = contents();
        auto done = salvage(settings_, "/clean", disk_, clock_, random_);
        EXPECT_TRUE(done) << done.error().message;
        for (const auto& [path, content] : before) {
            EXPECT_TRUE(disk_.files.contains(path) && *disk_.files[path] == content)
                << path << " was changed";
        }
        return done ? std::move(*done) : salvage_report{};
    }

    recovery_report open_copy() {
        settings_.directory = "/clean";
        return open();
    }

    std::map<std::string, std::string> contents() const {
        std::map<std::string, std::string> out;
        for (const auto& [path, content] : disk_.files) {
            out[path] = *content;
        }
        return out;
    }

    std::string& file(const std::string& name) { return *disk_.files.at("/spool/" + name); }

    void kill(sequence number, const std::string& excerpt) {
        std::vector<mark_job> jobs(1);
        mark one;
        one.number = number;
        one.kind = mark_kind::dead;
        one.letter = {dead_reason::rejected, 400, 3, clock_.wall(), clock_.wall(), false, excerpt};
        jobs[0].marks.push_back(one);
        store_->commit({}, jobs);
    }

    std::vector<std::string> letters() const {
        std::vector<std::string> out;
        const auto page = read_dead(*store_, {});
        EXPECT_TRUE(page);
        for (const dead_event& each : page->events) {
            out.push_back(each.letter ? each.letter->excerpt : "no letter");
        }
        return out;
    }
};

TEST_F(salvaging, keeps_numbers_order_lanes_ends_and_dead_letters) {
    settings_.segment_bytes = 16 << 10;
    open();
    for (int number = 1; number <= 40; ++number) {
        stored("event-" + std::to_string(number), number % 4 == 0 ? 1 : 0, 900);
    }
    mark_as(mark_kind::delivered, {1, 3, 20});
    mark_as(mark_kind::dropped, {5});
    mark_as(mark_kind::sending, {6});
    kill(7, "no such user");
    pass(std::chrono::seconds(2));
    const std::vector<std::string> plain = pending(0);
    const std::vector<std::string> urgent = pending(1);
    const ledger kept = events();
    const auto report = repair();
    EXPECT_TRUE(report.source.well());
    EXPECT_EQ(report.copy.events.accepted, 40u);

    EXPECT_TRUE(open_copy().findings.empty());
    EXPECT_EQ(pending(0), plain);
    EXPECT_EQ(pending(1), urgent);
    EXPECT_EQ(events().pending, kept.pending);
    EXPECT_EQ(events().delivered, kept.delivered);
    EXPECT_EQ(events().dropped, kept.dropped);
    EXPECT_THAT(letters(), ElementsAre("no such user"));
    const auto first = store_->read(0, 1, 1, 1 << 20);
    EXPECT_EQ(first->events.at(0).number, 2u);
    EXPECT_TRUE(store_->read(0, 6, 1, 1 << 20)->events.at(0).sending_marked);
    EXPECT_EQ(stored("another"), 41u);
    const auto repeat = append("event-2");
    EXPECT_EQ(repeat->front().outcome, append_outcome::conflict); // its padding differs: it is known
}

TEST_F(salvaging, leaves_damage_behind_and_counts_what_is_lost) {
    open();
    for (int number = 1; number <= 10; ++number) {
        stored("event-" + std::to_string(number));
    }
    store_->close();
    std::string& segment = file(segment_name(1));
    segment[segment.find("event-4")] ^= 1;
    const std::size_t last = segment.find("event-10");
    segment[last] ^= 1;
    segment.replace(0, 8192, 8192, '\0');                                // and both copies of the header
    mark_log marks(disk_, "/spool", 1, {99, store_->hash_seed()}, 4096); // which leaves the seed in the marks
    std::string record;
    mark delivered;
    delivered.number = 2;
    encode_mark(record, delivered, salt_of(store_->hash_seed()));
    marks.add(record);
    ASSERT_TRUE(marks.sync());

    const auto report = repair();
    EXPECT_FALSE(report.source.well());
    EXPECT_TRUE(report.copy.well());
    EXPECT_TRUE(open_copy().findings.empty());
    EXPECT_EQ(pending(), (std::vector<std::string>{"event-1", "event-3", "event-5", "event-6", "event-7",
                                                   "event-8", "event-9"}));
    EXPECT_EQ(events().lost, 2u);
    EXPECT_EQ(events().accepted, 10u);
    EXPECT_TRUE(adds_up());
    EXPECT_EQ(stored("another"), 11u);
}

TEST_F(salvaging, reads_a_segment_whose_seed_is_gone) {
    open();
    for (int number = 1; number <= 5; ++number) {
        stored("event-" + std::to_string(number));
    }
    store_->close();
    file(segment_name(1)).replace(0, 8192, 8192, 'x');
    const auto report = repair();
    EXPECT_EQ(report.regained, 5u);
    EXPECT_TRUE(open_copy().findings.empty());
    EXPECT_EQ(pending().size(), 5u);
    EXPECT_EQ(events().accepted, 5u);
    EXPECT_EQ(events().lost, 0u);
    EXPECT_TRUE(adds_up());
}

TEST_F(salvaging, brings_back_what_an_earlier_start_has_set_aside) {
    open();
    for (int number = 1; number <= 5; ++number) {
        stored("event-" + std::to_string(number));
    }
    store_->close();
    store_.reset();
    file(segment_name(1)).replace(0, 8192, 8192, 'x');
    open();
    EXPECT_EQ(events().lost, 5u);
    const sequence later = stored("later");
    const auto report = repair();
    EXPECT_THAT(report.source.notes, Contains(HasSubstr("set aside")));
    EXPECT_EQ(report.regained, 5u);
    EXPECT_TRUE(open_copy().findings.empty());
    EXPECT_THAT(pending(), ElementsAre("event-1", "event-2", "event-3", "event-4", "event-5", "later"));
    EXPECT_EQ(events().lost, 0u);
    EXPECT_EQ(events().accepted, 6u);
    EXPECT_TRUE(adds_up());
    EXPECT_EQ(stored("another"), later + 1);
}

TEST_F(salvaging, counts_a_segment_that_is_gone_as_lost) {
    settings_.segment_bytes = 16 << 10;
    open();
    for (int number = 1; number <= 60; ++number) {
        stored("event-" + std::to_string(number), 0, 1000);
    }
    std::vector<std::string> names;
    for (const auto& [path, content] : disk_.files) {
        if (path.ends_with(".log")) {
            names.push_back(path);
        }
    }
    ASSERT_GE(names.size(), 4u);
    disk_.files.erase(names[1]);
    const auto report = repair();
    EXPECT_TRUE(open_copy().findings.empty());
    EXPECT_EQ(events().accepted, 60u);
    EXPECT_EQ(events().lost, report.source.events.lost);
    EXPECT_GT(events().lost, 0u);
    EXPECT_TRUE(adds_up());
}

TEST_F(salvaging, writes_into_no_directory_that_holds_something) {
    open();
    stored("event-1");
    store_.reset();
    disk_.files["/clean/something"] = std::make_shared<std::string>("x");
    const auto done = salvage(settings_, "/clean", disk_, clock_, random_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, std::errc::file_exists);
    EXPECT_EQ(disk_.files.count("/clean/" + segment_name(1)), 0u);
}

TEST_F(salvaging, says_when_the_copy_cannot_be_written) {
    open();
    stored("event-1");
    store_.reset();
    fail("write", "/clean/", ENOSPC);
    const auto done = salvage(settings_, "/clean", disk_, clock_, random_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, std::errc::no_space_on_device);
}

TEST_F(salvaging, makes_a_clean_copy_of_any_damage_and_invents_nothing) {
    settings_.segment_bytes = 16 << 10;
    open();
    std::vector<std::string> accepted;
    for (int number = 1; number <= 80; ++number) {
        accepted.push_back("event-" + std::to_string(number));
        stored(accepted.back(), 0, static_cast<std::size_t>(number) * 13);
    }
    mark_as(mark_kind::delivered, {1, 2, 30, 31, 32});
    kill(33, "why");
    pass(std::chrono::seconds(2));
    store_.reset();
    const auto whole = contents();
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        seeded_random dice(seed);
        disk_.files.clear();
        for (const auto& [path, content] : whole) {
            disk_.files[path] = std::make_shared<std::string>(content);
        }
        for (std::uint64_t blow = dice.next() % 8; blow > 0; --blow) {
            auto victim = disk_.files.begin();
            std::advance(victim, static_cast<std::ptrdiff_t>(dice.next() % disk_.files.size()));
            std::string& bytes = *victim->second;
            if (bytes.empty()) {
                continue;
            }
            const std::size_t at = dice.next() % bytes.size();
            const std::size_t length = std::min<std::size_t>(bytes.size() - at, dice.next() % 9000);
            switch (dice.next() % 3) {
            case 0:
                bytes[at] = static_cast<char>(bytes[at] ^ 1);
                break;
            case 1:
                bytes.replace(at, length, length, '\0');
                break;
            default:
                bytes.resize(at);
            }
        }
        settings_.directory = "/spool";
        const auto report = repair();
        EXPECT_GE(report.copy.events.pending, report.source.events.pending);
        EXPECT_LE(report.copy.events.lost, report.source.events.lost);
        EXPECT_TRUE(open_copy().findings.empty());
        EXPECT_TRUE(adds_up());
        const auto left = pending();
        EXPECT_TRUE(
            std::ranges::includes(accepted, left, [](const std::string& one, const std::string& other) {
                return std::stoi(one.substr(6)) < std::stoi(other.substr(6));
            }));
        store_.reset();
    }
}

TEST(salt, is_worked_out_from_bytes_and_their_checksum) {
    for (const std::uint32_t salt : {0u, 1u, 0xdeadbeefu, ~0u}) {
        EXPECT_EQ(salt_before("some bytes", crc32c("some bytes", salt)), salt);
    }
}

} // namespace
} // namespace linkrunner::spool
