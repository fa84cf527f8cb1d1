// Random histories of the spool on a disk that loses power at every call. Before each change of the disk, a
// copy of it is taken down, recovered and held against the model; now and then the recovery is taken down
// too. One history is one seed: LINKRUNNER_SIM_SEED=<n> runs that one alone, LINKRUNNER_SIM_POINTS=<n> says
// how many crash points a test runs at least.
#include "sim/spool_model.hpp"
#include "support/simulated_disk.hpp"
#include "support/virtual_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

namespace linkrunner::test {
namespace {

using namespace std::chrono_literals;
using spool::event_state;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nothing changes the environment
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct flavour {
    const char* name;
    std::uint64_t first_seed;
    bool errors = false;                        // calls fail with any error
    std::uint64_t capacity = ~std::uint64_t{0}; // of the disk
    std::uint64_t max_bytes = std::uint64_t{1} << 20;
    bool drop_oldest = false;                    // of lane 2
    std::vector<std::uint64_t> once_failed = {}; // seeds that showed a fault, kept
};

class history {
  public:
    history(const flavour& kind, std::uint64_t seed)
        : kind_(kind), random_(seed), chance_(seed + 1), disk_(seed + 2), checks_(seed + 3) {
        options_.directory = "/spool";
        options_.segment_bytes = 16 << 10;
        options_.max_bytes = kind.max_bytes;
        options_.when_full = kind.drop_oldest ? spool::full_policy::drop_oldest : spool::full_policy::reject;
        options_.last_lane = 2;
        disk_.capacity = kind.capacity;
    }

    // Runs so many steps; the first difference in words.
    std::optional<std::string> run(int steps) {
        disk_.before_change = [this] { crash_a_copy(); };
        open(disk_, store_);
        for (int step = 0; step < steps && !difference_; ++step) {
            one_step();
            drop_some();
            disk_.failing = {};
            if (!difference_ && store_) {
                difference_ = model_.differs(*store_, false);
                look_for_compacted();
            }
        }
        return difference_;
    }
    std::uint64_t points() const { return points_; }
    // Segments rewritten by compaction that were seen after a step.
    std::uint64_t compactions() const { return compacted_.size(); }
    std::uint64_t drops() const { return drops_; }

  private:
    std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

    void open(simulated_disk& disk, std::unique_ptr<spool::store>& into) {
        spool::recovery_report report;
        auto opened = spool::store::open(options_, disk, clock_, chance_, report);
        if (!opened) {
            difference_ = "open: " + opened.error().message;
            return;
        }
        into = std::move(*opened);
    }

    void look_for_compacted() {
        for (const auto& [path, bytes] : disk_.sizes()) {
            std::string area(128, '\0');
            if (path.ends_with(".log") && disk_.open(path, disk::mode::read).value()->read_at(0, area)) {
                const auto header = spool::decode_header(area);
                if (header && header->sparse) {
                    compacted_.insert(header->id);
                }
            }
        }
    }

    void one_step() {
        const std::uint64_t what = below(100);
        set_errors();
        if (what < 50) {
            append();
        } else if (what < 75) {
            mark_some();
        } else if (what < 90) {
            clock_.advance_to(clock_.steady() + std::chrono::milliseconds(below(3000)));
            store_->maintain();
        } else if (what < 94) {
            reopen(true, simulated_disk::loss::nothing);
        } else if (what < 97) {
            reopen(false, simulated_disk::loss::nothing);
        } else {
            reopen(false, simulated_disk::loss::any);
        }
    }

    void set_errors() {
        if (!kind_.errors || below(4) != 0) {
            disk_.failing = {};
            return;
        }
        static constexpr std::array<int, 5> numbers = {EIO, ENOSPC, EDQUOT, EROFS, EMFILE};
        static constexpr std::array<std::string_view, 6> calls = {"write",  "sync",   "open",
                                                                  "rename", "remove", "sync_directory"};
        const int number = numbers[below(numbers.size())];
        const std::string_view call = calls[below(calls.size())];
        auto countdown = std::make_shared<std::uint64_t>(below(6));
        const bool once = below(2) == 0;
        disk_.failing = [=](std::string_view asked) {
            if (asked != call || *countdown == 0) {
                return asked == call && !once ? number : 0;
            }
            return --*countdown == 0 ? number : 0;
        };
    }

    spool::new_event make_event(const std::string& id) {
        spool::new_event out;
        out.lane = static_cast<std::uint8_t>(hash64(5, id) % 3);
        out.accepted_at = clock_.wall();
        out.event_id = id;
        out.name = "n" + std::to_string(hash64(6, id) % 3);
        out.body = "{\"event_id\":\"" + id + "\",\"pad\":\"" + std::string(hash64(7, id) % 400, 'x') + "\"}";
        out.identity = hash128(1, {id});
        out.body_hash = hash64(1, out.body);
        return out;
    }

    void append() {
        std::vector<spool::append_job> jobs(1 + below(3));
        for (spool::append_job& job : jobs) {
            for (std::uint64_t left = 1 + below(3); left > 0; --left) {
                // Mostly new ones, at times a repeat of one that is stored, in flight, or was refused.
                const std::uint64_t number = last_id_ > 0 && below(6) == 0 ? 1 + below(last_id_) : ++last_id_;
                job.events.push_back(make_event("e" + std::to_string(number)));
                if (!known_.contains(job.events.back().event_id)) {
                    model_.begin(job.events.back());
                }
            }
        }
        store_->commit(jobs, {});
        for (const spool::append_job& job : jobs) {
            take_answer(job);
        }
        forget_refused(jobs);
    }

    void take_answer(const spool::append_job& job) {
        if (!job.outcome) {
            return;
        }
        for (std::size_t i = 0; i < job.events.size(); ++i) {
            const spool::appended& how = (*job.outcome)[i];
            const std::string& id = job.events[i].event_id;
            const auto known = known_.find(id);
            if (how.outcome == spool::append_outcome::stored) {
                if (known != known_.end()) {
                    difference_ = "a repeat of " + id + " was stored again";
                }
                known_[id] = how.number;
                model_.stored(id, how.number);
            } else if (how.outcome == spool::append_outcome::conflict || known == known_.end() ||
                       known->second != how.number) {
                difference_ = "a repeat of " + id + " was answered with another event";
            }
        }
    }

    void forget_refused(const std::vector<spool::append_job>& jobs) {
        for (const spool::append_job& job : jobs) {
            const bool unknown = !job.outcome &&
                                 spool::refusal_of(job.outcome.error()) == spool::refusal::disk_error &&
                                 job.outcome.error().message.find("not known") != std::string::npos;
            for (const spool::new_event& each : job.events) {
                if (!job.outcome && !known_.contains(each.event_id)) {
                    model_.refused(each.event_id, unknown);
                }
            }
        }
    }

    void mark_some() {
        std::vector<spool::mark_job> jobs(1);
        jobs[0].durable = below(3) == 0;
        for (const auto& [number, about] : model_.events()) {
            if (below(3) != 0 || !is_live(about.now)) {
                continue;
            }
            spool::mark one;
            one.number = number;
            one.kind = static_cast<spool::mark_kind>(1 + below(6));
            one.letter.excerpt = "bad request";
            one.reason = "operator";
            jobs[0].marks.push_back(one);
        }
        for (const spool::mark& one : jobs[0].marks) {
            model_.begin_mark(one);
        }
        store_->commit({}, jobs);
        if (jobs[0].durable && jobs[0].outcome) {
            model_.marks_durable(jobs[0].marks);
        }
    }

    // All of lane 2 in the range may go, but for one event that is in flight.
    void drop_some() {
        const auto range = store_ ? store_->room_wanted() : std::nullopt;
        if (!range || difference_) {
            return;
        }
        std::optional<spool::sequence> in_flight;
        for (const auto& [number, about] : model_.events()) {
            const bool may_go = about.lane == 2 && is_pending(about.now);
            if (!may_go || number < range->first || number >= range->last) {
                continue;
            }
            if (!in_flight) {
                in_flight = number;
                continue;
            }
            model_.may_be_dropped(number);
        }
        const auto gone = store_->drop(*range, {in_flight.value_or(0)});
        drops_ += gone.size();
        for (const spool::sequence number : gone) {
            spool::mark one;
            one.number = number;
            one.kind = spool::mark_kind::dropped;
            model_.begin_mark(one);
        }
        if (in_flight && std::ranges::binary_search(gone, *in_flight)) {
            difference_ = "an event in flight was dropped";
        }
    }

    void reopen(bool in_order, simulated_disk::loss lost) {
        if (in_order) {
            store_->close();
        }
        disk_.failing = {};
        store_.reset();
        if (lost != simulated_disk::loss::nothing) {
            disk_.crash(lost);
        }
        open(disk_, store_);
        if (store_ && !difference_) {
            difference_ = model_.differs(*store_, true);
            model_.adopt(*store_);
            for (const auto& [number, about] : model_.events()) {
                known_[about.id] = number;
            }
        }
    }

    // At this moment, before the disk changes: what if the power went now?
    void crash_a_copy() {
        if (difference_ || checking_) {
            return;
        }
        checking_ = true;
        ++points_;
        simulated_disk copy(disk_);
        copy.capacity = ~std::uint64_t{0};
        copy.reseed(checks_.next());
        static constexpr std::array<simulated_disk::loss, 4> kinds = {
            simulated_disk::loss::everything_unsynced, simulated_disk::loss::nothing,
            simulated_disk::loss::any, simulated_disk::loss::any};
        copy.crash(kinds[checks_.next() % kinds.size()]);
        if (checks_.next() % 4 == 0) {
            recover_half(copy);
        }
        recover(copy);
        checking_ = false;
    }

    // A recovery that the power cuts short.
    void recover_half(simulated_disk& copy) {
        auto left = std::make_shared<std::uint64_t>(checks_.next() % 12);
        copy.before_change = [left] {
            if ((*left)-- == 0) {
                throw power_cut{};
            }
        };
        try {
            std::unique_ptr<spool::store> recovered;
            open(copy, recovered);
        } catch (const power_cut&) {
            ++points_;
        }
        copy.before_change = {};
        copy.crash(simulated_disk::loss::any);
    }

    void recover(simulated_disk& copy) {
        std::unique_ptr<spool::store> recovered;
        open(copy, recovered);
        if (!recovered || difference_) {
            return;
        }
        difference_ = model_.differs(*recovered, true);
        if (difference_ || checks_.next() % 4 != 0) {
            return;
        }
        check_repeat(*recovered);
        std::vector<spool::append_job> jobs(1);
        jobs[0].events.push_back(make_event("after-the-crash"));
        recovered->commit(jobs, {});
        const bool full =
            !jobs[0].outcome && spool::refusal_of(jobs[0].outcome.error()) == spool::refusal::queue_full;
        if (full) {
            return;
        }
        if (!jobs[0].outcome) {
            difference_ = "after the crash: " + jobs[0].outcome.error().message;
        } else if (!model_.events().empty() &&
                   jobs[0].outcome->front().number <= model_.events().rbegin()->first) {
            difference_ = "a number was given out twice";
        }
    }

    // A repeat of an accepted event is recognised, wherever its first copy is.
    void check_repeat(spool::store& recovered) {
        if (model_.events().empty()) {
            return;
        }
        auto chosen = model_.events().begin();
        std::advance(chosen, static_cast<std::ptrdiff_t>(checks_.next() % model_.events().size()));
        const auto& [number, about] = *chosen;
        if (about.accepted_at < clock_.wall() - options_.dedupe_window + 1s) {
            return;
        }
        std::vector<spool::append_job> jobs(1);
        jobs[0].events.push_back(make_event(about.id));
        recovered.commit(jobs, {});
        if (!jobs[0].outcome || jobs[0].outcome->front().outcome != spool::append_outcome::duplicate ||
            jobs[0].outcome->front().number != number) {
            difference_ = "a repeat of event " + std::to_string(number) + " was not recognised";
        }
    }

    const flavour& kind_;
    seeded_random random_;
    seeded_random chance_; // the store's
    simulated_disk disk_;
    seeded_random checks_;
    spool::settings options_;
    virtual_clock clock_;
    std::unique_ptr<spool::store> store_;
    spool_model model_;
    std::map<std::string, spool::sequence> known_; // ids that were answered as stored, or found
    std::uint64_t last_id_ = 0;
    std::uint64_t points_ = 0;
    std::set<std::uint64_t> compacted_; // their ids
    std::uint64_t drops_ = 0;
    bool checking_ = false;
    std::optional<std::string> difference_;
};

void run_flavour(const flavour& kind) {
    constexpr int steps = 30;
    const std::uint64_t wanted = from_environment("LINKRUNNER_SIM_POINTS", 26'000);
    const std::uint64_t only = from_environment("LINKRUNNER_SIM_SEED", 0);
    std::vector<std::uint64_t> seeds = kind.once_failed;
    if (only != 0) {
        seeds = {only};
    }
    std::uint64_t points = 0;
    std::uint64_t compactions = 0;
    std::uint64_t drops = 0;
    std::uint64_t next = kind.first_seed;
    for (std::size_t count = 0; only != 0 ? count < 1 : points < wanted; ++count) {
        const std::uint64_t seed = count < seeds.size() ? seeds[count] : next++;
        history one(kind, seed);
        const auto difference = one.run(steps);
        points += one.points();
        compactions += one.compactions();
        drops += one.drops();
        ASSERT_FALSE(difference) << *difference << "\nreplay: LINKRUNNER_SIM_SEED=" << seed
                                 << " --gtest_filter=*" << kind.name;
    }
    EXPECT_GE(compactions, only != 0 ? 0 : points / 1000) << "the histories do not show what they should";
    EXPECT_GE(drops, only != 0 || !kind.drop_oldest ? 0 : points / 1000);
    std::printf("%s: %llu crash points, %llu compactions, %llu drops, seeds from %llu\n", kind.name,
                static_cast<unsigned long long>(points), static_cast<unsigned long long>(compactions),
                static_cast<unsigned long long>(drops), static_cast<unsigned long long>(kind.first_seed));
}

TEST(spool_crash_test, nothing_accepted_is_lost_when_the_power_goes_at_any_call) {
    run_flavour({.name = "power_goes_at_any_call", .first_seed = 1000, .once_failed = {1403}});
}

TEST(spool_crash_test, nothing_accepted_is_lost_when_calls_fail_too) {
    run_flavour(
        {.name = "calls_fail_too", .first_seed = 2000, .errors = true, .once_failed = {2663, 3250, 15762}});
}

TEST(spool_crash_test, nothing_accepted_is_lost_on_a_disk_that_is_full_most_of_the_time) {
    run_flavour({.name = "full_most_of_the_time",
                 .first_seed = 3000,
                 .capacity = 120 << 10,
                 .max_bytes = 256 << 10,
                 .once_failed = {3038, 3759}});
}

TEST(spool_crash_test, nothing_but_what_may_be_dropped_is_lost_in_a_spool_that_is_full) {
    run_flavour({.name = "in_a_spool_that_is_full",
                 .first_seed = 4000,
                 .max_bytes = 128 << 10,
                 .drop_oldest = true,
                 .once_failed = {4063}});
}

} // namespace
} // namespace linkrunner::test
