// The durable queue as the rest of the daemon sees it. Lives on the loop's thread; every method is called
// there and every callback runs there. Owns the disk thread, which alone touches the files (spool/store.hpp).
//
// Group commit: whatever was appended while one fdatasync ran is written and synced together by the next.
// An append is answered only after its fdatasync (sync: always), and all of its events are stored or none.
#pragma once

#include "base/error.hpp"
#include "env/clock.hpp"
#include "env/disk.hpp"
#include "env/loop.hpp"
#include "env/random.hpp"
#include "spool/mark.hpp"
#include "spool/record.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace linkrunner::spool {

enum class sync_policy { always, interval, never };
enum class full_policy { reject, drop_oldest };

struct settings {
    std::string directory;
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    std::uint64_t segment_bytes = std::uint64_t{16} << 20; // a new segment is begun beyond this
    sync_policy sync = sync_policy::always;
    full_policy when_full = full_policy::reject;
    std::chrono::milliseconds dedupe_window = std::chrono::minutes(10);
    // The lane that drop_oldest takes events from. Events of a lane beyond it, from a configuration that had
    // more of them, go with it.
    std::uint8_t last_lane = max_lanes - 1;
    std::size_t dedupe_max = 500'000; // identities remembered at most
    std::uint64_t dead_max_bytes = std::uint64_t{128} << 20;
    std::chrono::milliseconds dead_max_age = std::chrono::hours(24 * 30);
};

// Why the spool refuses events; the words of the 503 answers and of /readyz.
enum class refusal : std::uint8_t { none, queue_full, disk_full, disk_stalled, disk_error };

const char* word_for(refusal why) noexcept; // "queue_full" ...

// Why a policy dropped events; the words are label values of linkrunnerd_events_dropped_total.
enum class drop_reason : std::uint8_t { queue_full, dead_max_bytes, dead_max_age };
inline constexpr std::size_t drop_reasons = 3;

const char* word_for(drop_reason why) noexcept;

// accepted = delivered + handed_off + dead + dropped + lost + pending, at all times and across restarts.
struct ledger {
    std::uint64_t accepted = 0;
    std::uint64_t delivered = 0;
    std::uint64_t handed_off = 0;
    std::uint64_t dead = 0;
    std::uint64_t dropped = 0;
    std::uint64_t lost = 0;
    std::uint64_t pending = 0;
};

// A snapshot that the disk thread publishes with each of its answers.
struct status {
    refusal refusing = refusal::none;
    std::string detail; // the error in words while refusing
    ledger events;
    std::array<std::uint64_t, max_lanes> pending_by_lane{};
    std::uint64_t bytes = 0; // of everything in the directory
    std::uint64_t limit_bytes = 0;
    sequence next = 1;                                 // the number that the next event will get
    wall_time oldest_pending{};                        // accept time; epoch when nothing is pending
    std::uint64_t commits = 0;                         // groups synced since the start
    std::array<std::uint64_t, drop_reasons> dropped{}; // by policies since the start
};

enum class append_outcome : std::uint8_t {
    stored,
    duplicate, // the same identity with the same body is stored already, or earlier in this group
    conflict,  // the same identity with another body: not stored
};

struct appended {
    append_outcome outcome = append_outcome::stored;
    sequence number = 0; // of the event, or of the first copy of a duplicate
};

// What recovery found; also a line of the log at start.
struct recovery_report {
    std::uint64_t segments = 0;
    std::uint64_t pending = 0;
    std::uint64_t dead = 0;
    std::uint64_t torn_bytes = 0;      // cut from the tail of the newest segment
    std::uint64_t lost = 0;            // events provably lost to damage
    std::vector<std::string> findings; // one line each: file, offset, what was done
};

struct batch {
    std::vector<stored_event> events; // pending ones, in order
    sequence next = 0;                // read from here to go on
    bool at_end = false;              // nothing of this lane was left beyond `next` when this was read
};

using append_callback = std::function<void(const result<std::vector<appended>>&)>;
using read_callback = std::function<void(result<batch>)>;
using mark_callback = std::function<void(const result<void>&)>;
using watch_id = std::uint64_t;

class store; // spool/store.hpp

class queue {
  public:
    // Opens or creates the directory, takes its lock and recovers; blocks, for start-up. Errors:
    // errc::device_or_resource_busy when another process holds the lock; errc::io_error and the like when the
    // directory cannot be used at all. A full disk is not an error: the queue opens and refuses. All
    // references must outlive the queue; `random` belongs to the disk thread from then on. `commit_seconds`,
    // if set, is told the duration of each group's sync.
    static result<std::unique_ptr<queue>> open(const settings& options, disk& files, clock& time, loop& owner,
                                               random_source& random, recovery_report& report,
                                               std::function<void(double)> commit_seconds = {});
    // The same without a disk thread: each round of work is a task of the loop. For simulations in virtual
    // time, where `files` is a simulated disk.
    static result<std::unique_ptr<queue>> open_on_loop(const settings& options, disk& files, clock& time,
                                                       loop& owner, random_source& random,
                                                       recovery_report& report,
                                                       std::function<void(double)> commit_seconds = {});
    virtual ~queue() = default;

    // The seed that identities and user keys must be hashed with. Constant over the life of the directory.
    virtual std::uint64_t hash_seed() const = 0;

    // Stores events, all or none. Errors carry the refusal as code (see refusal_of) and the cause in words.
    virtual void append(std::vector<new_event> events, append_callback done) = 0;

    // Bytes appended and not yet answered: the intake stops reading beyond its bound.
    virtual std::uint64_t uncommitted_bytes() const = 0;

    // Pending events of a lane from number `from` on, at most so many and so many bytes (one event at least).
    // Memory does not grow with the backlog. Events already read and not yet marked are read again if asked
    // for.
    virtual void read(std::uint8_t lane, sequence from, std::size_t max_events, std::size_t max_bytes,
                      read_callback done) = 0;

    // Records what became of events. Written with the next group, synced within a second; `durable`, if set,
    // is called after an fdatasync that holds it.
    virtual void record(std::vector<mark> marks, mark_callback durable = {}) = 0;

    // Called with the numbers' end state (delivered, dead, dropped, handed_off) when one is recorded; at once
    // when the end is already known; never when the watch is removed before.
    virtual watch_id watch(sequence number, std::function<void(mark_kind)> ended) = 0;
    virtual void unwatch(watch_id id) = 0;

    // Told after each commit that stored events: bit i of `lanes` is set when lane i got some.
    virtual void on_stored(std::function<void(std::uint32_t lanes)> told) = 0;

    // Who sends events is asked before some are dropped to make room (when_full: drop_oldest); nothing is
    // dropped while nobody can be asked.
    struct sender {
        // Events in [first, last) are to be dropped: which of them must stay, being in flight? None of the
        // others may be sent until `dropped` is called.
        std::function<std::vector<sequence>(sequence first, sequence last)> in_flight;
        std::function<void(sequence first, sequence last, const std::vector<sequence>& gone)> dropped;
    };
    virtual void on_drop(sender who) { (void)who; }

    virtual const spool::status& status() const = 0;

    // Told, in a line each, what an operator should read: refusals and their end, damage found while reading.
    virtual void on_finding(std::function<void(const std::string&)> told) { (void)told; }

    // Runs `work` on the disk thread, between two rounds of writing, and then `done` on the loop; an error:
    // the work was not run, the spool is closed. For what an operator asks (spool/caretaker.hpp); intake and
    // delivery wait meanwhile, so it should take a few milliseconds at most.
    virtual void on_disk(std::function<void(store&)> work, std::function<void(const result<void>&)> done) = 0;

    // Writes and syncs what is in hand, answers it, ends the disk thread, lets go of the lock. Idempotent;
    // blocks. Callbacks of what was in hand run on the loop afterwards, if the loop still runs.
    virtual void close() = 0;
};

// The refusal that an append error stands for; refusal::none for other errors.
refusal refusal_of(const error& failure) noexcept;

} // namespace linkrunner::spool
