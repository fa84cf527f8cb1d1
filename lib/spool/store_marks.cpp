// Marks: into the table at once, to the file with the next round, synced within a second.
#include "spool/store.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {
constexpr std::size_t most_dirty = 64; // marks files open at a time
}

void store::apply(std::span<mark_job> jobs) {
    segment* one = nullptr;
    for (const mark_job& job : jobs) {
        for (const mark& each : job.marks) {
            if (one == nullptr || !one->holds(each.number)) {
                one = log_.find(each.number);
            }
            if (one == nullptr) {
                continue; // retired: its end is known already
            }
            const event_state before = one->state(each.number);
            const event_state next = after(before, each.kind);
            if (next == before) {
                if (job.durable && !one->marks.settled() && std::ranges::find(dirty_, one) == dirty_.end()) {
                    dirty_.push_back(one); // recorded before a restart, and never synced since
                }
                continue;
            }
            add_mark(*one, each);
        }
    }
    write_marks();
}

void store::add_mark(segment& one, const mark& what) {
    if (!one.marks.dirty() && std::ranges::find(dirty_, &one) == dirty_.end()) {
        dirty_.push_back(&one);
    }
    one.marks.add(what);
    if (what.kind == mark_kind::dead) {
        one.note_death(one.death_of(what.letter));
        dead_look_at_ = std::min(dead_look_at_, clock_.steady() + std::chrono::seconds(1));
    }
    compact_wanted_ = true;
    change_state(one, what.number, after(one.state(what.number), what.kind));
}

void store::change_state(segment& one, sequence number, event_state state) {
    const event_state before = one.state(number);
    --counts_[static_cast<std::size_t>(before)];
    ++counts_[static_cast<std::size_t>(state)];
    const std::uint8_t lane = one.lane(number);
    lane_pending_[lane] += (is_pending(state) ? 1u : 0u);
    lane_pending_[lane] -= (is_pending(before) ? 1u : 0u);
    one.set_state(number, state);
    if (is_pending(state)) {
        oldest_hint_ = std::min(oldest_hint_, number);
    } else if (one.sealed && one.finished()) {
        finished_some_ = true;
    }
}

void store::write_marks() {
    if (dirty_.empty()) {
        return;
    }
    const steady_time now = clock_.steady();
    if (!marks_unsynced_since_) {
        marks_unsynced_since_ = now;
    }
    if (now < marks_retry_at_) {
        return;
    }
    for (segment* one : dirty_) {
        make_way(one->marks.growth());
        if (auto written = with_reserve([one] { return one->marks.write(); }); !written) {
            // They stand in memory; until they can be written a crash would have the events sent again.
            note_once("marks wait in memory: " + written.error().message);
            marks_retry_at_ = now + std::chrono::seconds(1);
            return;
        }
    }
    if (dirty_.size() > most_dirty) {
        (void)sync_marks();
    }
}

result<void> store::sync_marks() {
    result<void> outcome;
    marks_retry_at_ = {};
    std::erase_if(dirty_, [&](segment* one) {
        auto synced = with_reserve([one] { return one->marks.sync(); });
        if (!synced) {
            outcome = synced;
            return false;
        }
        one->marks.close();
        return true;
    });
    marks_unsynced_since_.reset();
    if (!outcome) {
        note_once("marks wait in memory: " + outcome.error().message);
        marks_unsynced_since_ = clock_.steady();
        marks_retry_at_ = clock_.steady() + std::chrono::seconds(1);
    }
    return outcome;
}

} // namespace linkrunner::spool
