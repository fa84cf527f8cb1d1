// Retirement: a segment none of whose events is pending or dead is removed, in any order. What it held stays
// known: its counts in the totals, written to a segment that remains and synced before the file goes; its
// identities in a file of their own as long as they are in the window.
#include "spool/file_names.hpp"
#include "spool/identity_file.hpp"
#include "spool/store.hpp"
#include "spool/whole_file.hpp"

#include <algorithm>

namespace linkrunner::spool {

void store::retire_finished() {
    finished_some_ = false;
    retire_later_ = false;
    const std::vector<segment*> leaving = retirable();
    if (leaving.empty() && log_.totals.leaving.empty()) {
        return;
    }
    retire_later_ = true; // unless all of it succeeds
    if ((active_ == nullptr && !with_reserve([this] { return begin_segment(); })) || !remove_superseded() ||
        !remove_leaving()) {
        return;
    }
    if (leaving.empty()) {
        retire_later_ = false;
        return;
    }
    retired_totals totals = log_.totals;
    ++totals.generation;
    for (segment* one : leaving) {
        if (!keep_identities(one->first(), one->next())) {
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
    recount();
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

// The identities of [first, last) that are in the window, with the ends of their events.
bool store::keep_identities(sequence first, sequence last) {
    identity_file file;
    file.first = first;
    file.last = last;
    file.entries =
        log_.identities.end_range(first, last, [this](sequence number, std::optional<mark_kind> noted) {
            const segment* one = log_.find(number);
            return one == nullptr ? noted : spool::end_of(one->state(number));
        });
    if (file.entries.empty()) {
        return true;
    }
    const std::string content = encode_identity_file(file);
    make_way(content.size());
    const auto written =
        with_reserve([&] { return write_whole(disk_, options_.directory, identities_name(first), content); });
    if (!written) {
        note_once("a finished segment stays: " + written.error().message);
        return false;
    }
    log_.identity_files.insert_or_assign(first, retained_identities{last, content.size()});
    std::erase_if(log_.identity_files, [&](const auto& each) { // the new one has what is in these
        return each.first > first && each.second.last <= last &&
               disk_.remove(options_.directory + "/" + identities_name(each.first));
    });
    return true;
}

void store::forget_segment(segment& one) {
    const sequence first = one.first();
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
    const auto names = disk_.list(options_.directory);
    result<void> done = names ? result<void>{} : names.error();
    for (std::size_t i = 0; done && i < names->size(); ++i) {
        const file_name parsed = parse_file_name((*names)[i]);
        const bool its = parsed.kind == file_kind::segment || parsed.kind == file_kind::marks;
        if (its && std::ranges::find(log_.totals.leaving, parsed.first) != log_.totals.leaving.end()) {
            done = disk_.remove(options_.directory + "/" + (*names)[i]);
        }
    }
    if (done) {
        done = disk_.sync_directory(options_.directory);
    }
    if (!done) {
        note_once("a finished segment stays: " + done.error().message);
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
    std::erase_if(log_.identity_files, [&](const auto& each) {
        if (each.second.last > oldest) {
            return false;
        }
        const auto removed = disk_.remove(options_.directory + "/" + identities_name(each.first));
        return removed || removed.error().code == std::errc::no_such_file_or_directory;
    });
}

} // namespace linkrunner::spool
