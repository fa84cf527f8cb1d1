// What a policy throws away: the oldest events of one lane when the spool is full (when_full: drop_oldest),
// and dead letters that are too many or too old.
#include "spool/file_names.hpp"
#include "spool/letters.hpp"
#include "spool/store.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

namespace {
constexpr std::chrono::seconds drop_again(1);
constexpr std::chrono::minutes dead_interval(1);
constexpr std::chrono::minutes most_clock_jump(10);
} // namespace

// Early, by a segment: who knows which events are in flight is asked before anything goes, and events come in
// meanwhile. What had to stay is looked at again once a second at most; what has been sealed since, at once.
void store::look_for_room() {
    if (options_.when_full != full_policy::drop_oldest || room_wanted_) {
        return;
    }
    const std::uint64_t ahead = std::max(options_.segment_bytes, 2 * room_needed_);
    if (bytes_with_reserve() + ahead <= options_.max_bytes || choose_for_drop()) {
        return;
    }
    if (room_needed_ > 0 && active_ != nullptr && active_->pending(options_.last_lane) > 0) {
        seal_tail(); // what came in one burst may have to go for what waits
        if (choose_for_drop()) {
            return;
        }
    }
    if (clock_.steady() < drop_again_at_) {
        return;
    }
    drop_again_at_ = clock_.steady() + drop_again;
    drop_from_ = 0;
    (void)choose_for_drop();
}

// Whether room is being made for this job; not for one that so much would have to go for.
bool store::waits_for_room(const append_job& job, std::size_t bytes) {
    if (!job.may_wait || bytes > options_.max_bytes / 4) {
        return false;
    }
    room_needed_ = std::max<std::uint64_t>(room_needed_, bytes);
    look_for_room();
    return room_wanted_ || std::ranges::any_of(planned_, [this](const planned& each) {
               return each.lane >= options_.last_lane; // after them
           });
}

bool store::choose_for_drop() {
    for (auto each = log_.segments.lower_bound(drop_from_); each != log_.segments.end(); ++each) {
        const segment& one = *each->second;
        if (one.sealed && one.pending(options_.last_lane) > 0) {
            room_wanted_ = number_range{one.first(), one.next()};
            drop_from_ = one.next();
            handed_out_.clear();
            return true;
        }
    }
    return false;
}

std::vector<sequence> store::drop(number_range range, std::vector<sequence> held) {
    held.insert(held.end(), handed_out_.begin(), handed_out_.end());
    std::ranges::sort(held);
    std::vector<sequence> dropped;
    for (auto& [first, one] : log_.segments) {
        if (first >= range.last) {
            break;
        }
        for (auto number = one->next_pending(options_.last_lane, range.first); number && *number < range.last;
             number = one->next_pending(options_.last_lane, *number + 1)) {
            if (!std::ranges::binary_search(held, *number)) {
                drop_one(*one, *number);
                dropped.push_back(*number);
            }
        }
    }
    room_wanted_.reset();
    if (!dropped.empty()) {
        write_marks();
        status_.dropped[static_cast<std::size_t>(drop_reason::queue_full)] += dropped.size();
        note("the spool is full: " + std::to_string(dropped.size()) + " of its oldest events were dropped, " +
             "the last of them is number " + std::to_string(dropped.back()) + " (spool.when_full)");
        retire_finished();
        compact_wanted_ = compact_some(); // the room is wanted now, and events of other lanes may be in it
    }
    publish();
    return dropped;
}

// The mark goes without a word for its reason: a longer one would not be sure to find room.
void store::drop_one(segment& one, sequence number) {
    mark gone;
    gone.number = number;
    gone.kind = mark_kind::dropped;
    add_mark(one, gone);
}

void store::bound_dead_letters() {
    const steady_time now = clock_.steady();
    if (counts_[static_cast<std::size_t>(event_state::dead)] == 0 || now < dead_look_at_) {
        return;
    }
    dead_look_at_ = now + dead_interval;
    drop_surplus_letters();
    const auto drift = (clock_.wall() - opened_wall_) -
                       std::chrono::duration_cast<std::chrono::milliseconds>(now - opened_steady_);
    if (std::chrono::abs(drift) > most_clock_jump) {
        note_once("the clock was set: dead letters are not dropped for their age until the next start");
    } else {
        drop_old_letters(clock_.wall() - options_.dead_max_age);
    }
    write_marks();
}

void store::drop_surplus_letters() {
    std::uint64_t bytes = 0;
    for (const auto& [first, one] : log_.segments) {
        bytes += one->dead_bytes();
    }
    std::uint64_t count = 0;
    for (auto each = log_.segments.begin(); bytes > options_.dead_max_bytes && each != log_.segments.end();
         ++each) {
        segment& one = *each->second;
        const std::uint64_t size = std::max<std::uint64_t>(one.average_frame(), 1);
        for (auto number = one.next_in_state(event_state::dead, 0); number && bytes > options_.dead_max_bytes;
             number = one.next_in_state(event_state::dead, *number + 1)) {
            drop_one(one, *number);
            bytes -= std::min(bytes, size);
            ++count;
        }
    }
    count_dropped_letters(drop_reason::dead_max_bytes, count);
}

void store::drop_old_letters(wall_time before) {
    std::uint64_t count = 0;
    for (auto& [first, one] : log_.segments) {
        if (one->count(event_state::dead) == 0 || !one->oldest_death || *one->oldest_death >= before) {
            continue;
        }
        const auto letters = letters_of(disk_, options_.directory, log_.salt, *one);
        if (!letters) {
            note_once("dead letters cannot be read: " + letters.error().message);
            continue;
        }
        std::optional<wall_time> oldest;
        for (auto number = one->next_in_state(event_state::dead, 0); number;
             number = one->next_in_state(event_state::dead, *number + 1)) {
            const auto letter = letters->find(*number);
            const wall_time died =
                letter == letters->end() ? one->header.created_at : one->death_of(letter->second);
            if (died < before) {
                drop_one(*one, *number);
                ++count;
            } else {
                oldest = std::min(died, oldest.value_or(died));
            }
        }
        one->oldest_death = oldest;
    }
    count_dropped_letters(drop_reason::dead_max_age, count);
}

void store::count_dropped_letters(drop_reason why, std::uint64_t count) {
    if (count > 0) {
        status_.dropped[static_cast<std::size_t>(why)] += count;
        note(std::to_string(count) + " dead letters were dropped: " + word_for(why));
    }
}

} // namespace linkrunner::spool
