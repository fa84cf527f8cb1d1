// One segment as the store keeps it in memory: a byte per event (its lane and state), the offset of every
// 64th frame, and counts. Nothing else grows with the number of events. Disk thread.
#pragma once

#include "spool/header.hpp"
#include "spool/mark.hpp"
#include "spool/mark_log.hpp"
#include "spool/record.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::spool {

enum class event_state : std::uint8_t {
    absent, // a number that was never accepted
    pending,
    sending, // pending, with a `sending` mark
    dead,
    delivered,
    handed_off,
    dropped,
    lost,
};

inline constexpr std::size_t event_states = 8;

constexpr bool is_pending(event_state state) noexcept {
    return state == event_state::pending || state == event_state::sending;
}

constexpr bool is_live(event_state state) noexcept {
    return is_pending(state) || state == event_state::dead;
}

// The state after a mark; the same state where the mark changes nothing. An end stays an end, but for the
// dead: they may be replayed, dropped, or turn out delivered. A lost event's frame is gone.
event_state after(event_state before, mark_kind mark) noexcept;

// The end that a state stands for; nothing while pending, or where it is lost.
std::optional<mark_kind> end_of(event_state state) noexcept;

class segment {
  public:
    // Events of lanes beyond `last_lane` count as of that.
    segment(segment_header header, mark_log marks, std::uint8_t last_lane = max_lanes - 1)
        : header(header), marks(std::move(marks)), last_lane_(last_lane) {}

    segment_header header;
    mark_log marks;
    std::uint64_t end = header_area_bytes; // where the frames end
    std::uint64_t file_bytes = 0;
    bool sealed = false;
    bool needs_cut = false; // frames beyond `end` belong to a group that was refused, and must go
    bool unreadable = false;
    bool stays = false; // compaction failed on it
    // No dead letter of this segment is older than this; unknown while it has none.
    std::optional<wall_time> oldest_death;

    // A letter without its time (it was damaged) counts from the segment's beginning.
    wall_time death_of(const dead_letter& letter) const noexcept {
        return letter.last_attempt == wall_time{} ? header.created_at : letter.last_attempt;
    }
    void note_death(wall_time when) { oldest_death = std::min(when, oldest_death.value_or(when)); }

    sequence first() const noexcept { return header.first; }
    // One past the last number known here.
    sequence next() const noexcept;
    bool holds(sequence number) const noexcept { return index_of(number).has_value(); }

    // Adds the next event, in order; numbers in between become `gap`.
    void add(sequence number, std::uint8_t lane, std::uint64_t offset,
             event_state state = event_state::pending);
    void add_gap(sequence up_to, event_state gap); // numbers next() .. up_to - 1; not in a sparse segment
    void reserve_exact() { states_.shrink_to_fit(); }

    // A sparse segment does not say which events it must hold, only how many. What a mark tells of one whose
    // frame is not there is kept; when all marks were applied, the missing ones are counted as removed: ended
    // where a mark said so, else lost.
    void note_missing(sequence number, mark_kind mark);
    void settle_missing();

    event_state state(sequence number) const noexcept;
    std::uint8_t lane(sequence number) const noexcept;
    std::uint8_t last_lane() const noexcept { return last_lane_; }
    void set_state(sequence number, event_state state) noexcept;

    // The first event from `from` on that is pending in this lane, or in any lane (-1).
    std::optional<sequence> next_pending(int lane, sequence from) const noexcept;
    std::optional<sequence> next_in_state(event_state state, sequence from) const noexcept;
    std::optional<sequence> next_live(sequence from) const noexcept; // pending in any lane, or dead
    std::optional<sequence> next_held(sequence from) const noexcept; // in whatever state

    // Where to begin looking for the frame of this event: at it or at most 64 frames before.
    std::uint64_t offset_before(sequence number) const noexcept;

    std::uint64_t count(event_state state) const noexcept { return counts_[static_cast<std::size_t>(state)]; }
    std::uint64_t pending() const noexcept {
        return count(event_state::pending) + count(event_state::sending);
    }
    std::uint64_t pending(int lane) const noexcept { return lane_pending_[static_cast<std::size_t>(lane)]; }
    std::uint64_t live() const noexcept { return pending() + count(event_state::dead); }
    bool finished() const noexcept { return live() == 0; }
    std::uint64_t held() const noexcept { return states_.size(); }                   // in whatever state
    std::uint64_t size_bytes() const noexcept { return file_bytes + marks.bytes(); } // of its files
    std::uint64_t average_frame() const noexcept;
    std::uint64_t live_bytes() const noexcept; // of the frames of live events; an estimate
    std::uint64_t dead_bytes() const noexcept; // of those of dead ones; an estimate
    std::uint64_t numbers() const noexcept;

    // What became of its events, those of `header.removed` included.
    tally sum() const noexcept;

  private:
    static constexpr std::size_t checkpoint_step = 64;
    static constexpr std::uint8_t state_mask = 7;

    std::optional<std::size_t> index_of(sequence number) const noexcept;
    std::size_t index_from(sequence number) const noexcept; // of the first event at or after `number`
    sequence number_at(std::size_t index) const noexcept;
    template <class Condition>
    std::optional<sequence> next_if(sequence from, Condition holds) const noexcept;
    void push(std::uint8_t lane, event_state state, std::uint64_t offset);
    void count_state(event_state state, std::uint8_t lane, int change) noexcept;

    std::vector<std::uint8_t> states_;        // lane << 3 | state
    std::vector<std::uint32_t> checkpoints_;  // offset / 8 of the first frame at or after index 64 k
    std::vector<std::uint32_t> numbers_;      // sparse only: number - first
    std::map<sequence, event_state> missing_; // until they are settled
    std::array<std::uint64_t, event_states> counts_{};
    std::uint8_t last_lane_;
    std::array<std::uint64_t, max_lanes> lane_pending_{};
};

} // namespace linkrunner::spool
