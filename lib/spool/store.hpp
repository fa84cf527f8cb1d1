// The spool itself: owns all files of the directory and decides what is stored. Synchronous; one thread at a
// time (the disk thread). Talks to the disk, clock and random ports only, so that a simulated disk can take
// the power away after any call. The asynchronous face is spool/queue.hpp.
#pragma once

#include "spool/file_cache.hpp"
#include "spool/jobs.hpp"
#include "spool/log_state.hpp"
#include "spool/log_tail.hpp"
#include "spool/queue.hpp"
#include "spool/reserve.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace linkrunner::spool {

class store {
  public:
    // See queue::open.
    static result<std::unique_ptr<store>> open(const settings& options, disk& files, const clock& time,
                                               random_source& random, recovery_report& report);
    ~store();

    std::uint64_t hash_seed() const noexcept { return log_.hash_seed; }

    // For what looks at the whole of it: the audit and the dead letters.
    const log_state& log() const noexcept { return log_; }
    const std::string& directory() const noexcept { return options_.directory; }
    disk& files() const noexcept { return disk_; }

    // One round: the marks, then the events of all jobs as one group with one fdatasync. Outcomes are filled
    // in; each append is stored whole or refused whole.
    void commit(std::span<append_job> appends, std::span<mark_job> marks);

    // See queue::read.
    result<batch> read(std::uint8_t lane, sequence from, std::size_t max_events, std::size_t max_bytes);

    // How an event ended; nothing while it is pending, and when that is not known any more.
    std::optional<mark_kind> end_of(sequence number) const;

    // when_full: drop_oldest. Where events must go soon. Whoever has some of them in flight or in memory is
    // to name them; drop() spares those, and what read() gave out since. Returns what it dropped, in order.
    std::optional<number_range> room_wanted() const noexcept { return room_wanted_; }
    std::vector<sequence> drop(number_range range, std::vector<sequence> held);

    // What is not urgent: syncs marks a second after they were written, retires finished segments, tries a
    // disk that had failed, forgets identities. To be called at due(), and may be called at any time.
    void maintain();
    std::optional<steady_time> due() const;

    // Writes and syncs what is in hand and says so in the log. The store takes nothing more.
    void close();

    const spool::status& status() const noexcept { return status_; }
    std::uint32_t lanes_stored() const noexcept { return lanes_stored_; }         // of the last commit
    std::optional<double> sync_seconds() const noexcept { return sync_seconds_; } // of the last commit
    // What happened that an operator should read, once.
    std::vector<std::string> take_findings();

  private:
    struct planned {
        sequence number = 0;
        std::uint64_t offset = 0; // in the group
        std::uint8_t lane = 0;
    };

    store(const settings& options, disk& files, const clock& time, random_source& random,
          std::unique_ptr<disk_file> lock, log_state log);

    // Appending (store_append.cpp).
    void append_group(std::span<append_job> jobs);
    void plan(append_job& job, wall_time now);
    appended plan_one(const new_event& event, wall_time now);
    bool was_handed_off(sequence number) const;
    void take_back(std::size_t planned_before, std::size_t bytes_before);
    result<void> write_group();
    void count_group();
    void refuse_group(std::span<append_job> jobs, const error& why);
    bool may_write() const;
    result<void> ensure_tail(std::size_t group_bytes);
    result<void> begin_segment();
    void seal_tail();
    void sync_tail();
    void tail_failed();
    std::uint64_t surely_free() const;
    bool fits(std::size_t group_bytes);
    bool waits_for_room(const append_job& job, std::size_t bytes);
    void refuse(refusal why, std::string detail);
    void try_again();

    // Marks (store_marks.cpp).
    void apply(std::span<mark_job> jobs);
    void add_mark(segment& one, const mark& what);
    void change_state(segment& one, sequence number, event_state state);
    void write_marks();
    result<void> sync_marks();

    // Room for a full disk (store_room.cpp). An event's share of the reserve is a mark and an identity.
    static constexpr std::uint64_t reserve_per_event_bytes = min_mark_bytes + sizeof(identity_index::entry);
    std::uint64_t reserve_wanted() const;
    result<void> with_reserve(const std::function<result<void>()>& call);
    std::uint64_t bytes() const;
    std::uint64_t bytes_with_reserve() const;
    void make_way(std::uint64_t growth);
    void make_room();

    // Retirement (store_retire.cpp).
    void retire_finished();
    std::vector<segment*> retirable();
    bool keep_identities(sequence first, sequence last);
    void forget_segment(segment& one);
    bool remove_leaving();
    void cut_refused();
    void forget_identities();

    // Policies (store_drop.cpp).
    void look_for_room();
    bool choose_for_drop();
    void drop_one(segment& one, sequence number);
    void bound_dead_letters();
    void drop_surplus_letters();
    void drop_old_letters(wall_time before);
    void count_dropped_letters(drop_reason why, std::uint64_t count);

    // Compaction (store_compact.cpp).
    bool compact_some();
    bool rewrite(const std::vector<segment*>& parts);
    void replace(const std::vector<segment*>& parts, std::unique_ptr<segment> made);
    bool remove_superseded();

    void recount();
    void publish();
    void update_oldest();
    bool may_pass(sequence number);
    ledger count() const;
    void note(std::string finding);
    void note_once(const std::string& finding);

    settings options_;
    disk& disk_;
    const clock& clock_;
    random_source& random_;
    std::unique_ptr<disk_file> lock_;
    log_state log_;
    log_tail tail_;
    spool::reserve reserve_;
    segment* active_ = nullptr; // the one that tail_ writes, while it is open
    file_cache readers_;
    std::string group_;             // frames of the group being built
    std::vector<planned> planned_;  // and its events
    std::uint64_t surely_free_ = 0; // when the group was begun
    std::string read_buffer_;
    std::array<std::uint64_t, event_states> counts_{}; // of all segments
    std::array<std::uint64_t, max_lanes> lane_pending_{};
    tally gone_;                  // retired, and removed by compaction
    std::vector<segment*> dirty_; // with marks that are not synced
    bool tail_dirty_ = false;     // sync: interval
    steady_time tail_dirty_since_{};
    bool finished_some_ = false; // a segment may be retired
    bool retire_later_ = false;  // one could not be, though it should
    bool compact_wanted_ = true; // something may be worth it
    steady_time compact_at_{};   // not before
    std::optional<steady_time> marks_unsynced_since_;
    steady_time marks_retry_at_{};
    steady_time next_upkeep_{};
    steady_time probe_at_{};
    std::optional<number_range> room_wanted_;
    std::vector<sequence> handed_out_; // by read(), of room_wanted_ and since then
    sequence drop_from_ = 0;           // where to look next for what may be dropped
    std::uint64_t room_needed_ = 0;    // for the first job that waits
    steady_time drop_again_at_{};      // from the front, not before
    steady_time dead_look_at_{};
    wall_time opened_wall_{};
    steady_time opened_steady_{};
    std::size_t refused_bytes_ = 0; // of the job that found the queue full
    sequence oldest_hint_ = 0;
    sequence oldest_number_ = 0;
    sequence unreadable_ = 0; // the event that reading fails at, and since when
    steady_time unreadable_since_{};
    spool::status status_;
    std::uint32_t lanes_stored_ = 0;
    std::optional<double> sync_seconds_;
    std::vector<std::string> findings_;
    std::set<std::string> said_; // by note_once, since the last time that all was well
};

// An error whose code stands for the refusal (refusal_of gives it back).
error refusal_error(refusal why, std::string detail);

// disk_full for ENOSPC and EDQUOT, else disk_error.
refusal refusal_for(const error& failure) noexcept;

} // namespace linkrunner::spool
