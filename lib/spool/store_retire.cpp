// Retirement: a segment none of whose events is pending or dead is removed, in any order. What it held stays
// known: its counts in the totals, written to a segment that remains and synced before the file goes; its
// identities in a file of their own as long as they are in the window.
#include "spool/file_names.hpp"
#include "spool/identity_file.hpp"
#include "spool/store.hpp"
#include "spool/whole_file.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {
constexpr std::uint32_t most_generations = 1000; // of marks files that are looked for
}

void store::retire_finished() {
    finished_some_ = false;
    retire_later_ = false;
    const std::vector<segment*> leaving = retirable();
    if (leaving.empty() && log_.totals.leaving.empty()) {
        return;
    }
    retire_later_ = true; // unless all of it succeeds
    if ((active_ == nullptr && !with_reserve([this] { return begin_segment(); })) || !remove_leaving()) {
        return;
    }
    if (leaving.empty()) {
        retire_later_ = false;
        return;
    }
    retired_totals totals = log_.totals;
    ++totals.generation;
    for (segment* one : leaving) {
        if (!keep_identities(*one)) {
            return;
        }
        totals.events.add(one->sum());
        totals.numbers += one->numbers();
        totals.leaving.push_back(one->first());
    }
    auto recorded = tail_.write_totals(totals);
    if (recorded) {
        recorded = tail_.sync();
        tail_failed();
    }
    if (!recorded) {
        return;
    }
    log_.totals = std::move(totals);
    for (segment* one : leaving) {
        forget_segment(*one);
    }
    retire_later_ = !remove_leaving() || !retirable().empty();
    if (active_ != nullptr) {
        // The other copy, synced with the next group.
        (void)tail_.write_totals(log_.totals, 1);
    }
}

// Finished segments, except those that void the frames of a refused group in a segment before them.
std::vector<segment*> store::retirable() {
    std::vector<segment*> out;
    for (const auto& [first, one] : log_.segments) {
        if (one->needs_cut || out.size() == retired_totals::max_leaving) {
            break;
        }
        const bool empty_name_in_use = one->numbers() == 0 && first == log_.next;
        if (one->sealed && one->finished() && !one->unreadable && !empty_name_in_use) {
            out.push_back(one.get());
        }
    }
    return out;
}

bool store::keep_identities(segment& one) {
    identity_file file;
    file.first = one.first();
    file.last = one.next();
    file.entries = log_.identities.end_range(
        file.first, file.last, [&one](sequence number) { return spool::end_of(one.state(number)); });
    if (file.entries.empty()) {
        return true;
    }
    const std::string content = encode_identity_file(file);
    make_way(content.size());
    const auto written = with_reserve(
        [&] { return write_whole(disk_, options_.directory, identities_name(file.first), content); });
    if (!written) {
        note_once("a finished segment stays: " + written.error().message);
        return false;
    }
    log_.identity_files.insert_or_assign(file.first, retained_identities{file.last, content.size()});
    return true;
}

void store::forget_segment(segment& one) {
    const sequence first = one.first();
    for (std::size_t state = 0; state < event_states; ++state) {
        counts_[state] -= one.count(static_cast<event_state>(state));
    }
    tally counted = one.sum();
    gone_.accepted += counted.accepted - one.header.removed.accepted;
    gone_.delivered += counted.delivered - one.header.removed.delivered;
    gone_.handed_off += counted.handed_off - one.header.removed.handed_off;
    gone_.dropped += counted.dropped - one.header.removed.dropped;
    gone_.lost += counted.lost - one.header.removed.lost;
    std::erase(dirty_, &one);
    readers_.forget(options_.directory + "/" + segment_name(first));
    log_.segments.erase(first);
}

// The files of segments that the totals count already, as the active segment says durably. The totals must
// not forget their names before their removal is durable, or a start after a crash would count them twice.
bool store::remove_leaving() {
    if (log_.totals.leaving.empty()) {
        return true;
    }
    for (const sequence first : log_.totals.leaving) {
        const auto removed = disk_.remove(options_.directory + "/" + segment_name(first));
        if (!removed && removed.error().code != std::errc::no_such_file_or_directory) {
            note_once("a finished segment stays: " + removed.error().message);
            return false;
        }
        for (std::uint32_t generation = 0; generation < most_generations; ++generation) {
            if (!disk_.remove(options_.directory + "/" + marks_name(first, generation))) {
                break;
            }
        }
    }
    if (const auto synced = disk_.sync_directory(options_.directory); !synced) {
        note_once("a finished segment stays: " + synced.error().message);
        return false;
    }
    log_.totals.leaving.clear();
    return true;
}

// Frames of a refused group, behind those that count: they must go before the segment after them does.
void store::cut_refused() {
    for (const auto& [first, one] : log_.segments) {
        if (!one->needs_cut) {
            continue;
        }
        const auto file = disk_.open(options_.directory + "/" + segment_name(first), disk::mode::read_write);
        if (file && (*file)->truncate(one->end) && (*file)->sync()) {
            one->needs_cut = false;
            one->file_bytes = one->end;
            finished_some_ = true;
        }
    }
}

void store::forget_identities() {
    log_.identities.expire(clock_.wall());
    const sequence oldest = log_.identities.size() > 0 ? log_.identities.oldest() : log_.next;
    while (!log_.identity_files.empty()) {
        const auto front = log_.identity_files.begin();
        if (front->second.last > oldest) {
            return;
        }
        const auto removed = disk_.remove(options_.directory + "/" + identities_name(front->first));
        if (!removed && removed.error().code != std::errc::no_such_file_or_directory) {
            return;
        }
        log_.identity_files.erase(front);
    }
}

} // namespace linkrunner::spool
