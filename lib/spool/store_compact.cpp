// Compaction as the store does it, and the removal of what it supersedes.
#include "spool/compaction.hpp"
#include "spool/file_names.hpp"
#include "spool/recovery.hpp"
#include "spool/store.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {
constexpr std::chrono::seconds pause_after_failure(10);
}

// False when nothing is worth it, until something changes.
bool store::compact_some() {
    if (clock_.steady() < compact_at_) {
        return true;
    }
    const std::vector<segment*> parts = worth_compacting(log_, options_);
    if (parts.empty()) {
        return false;
    }
    if (!remove_superseded() || !rewrite(parts)) {
        compact_at_ = clock_.steady() + pause_after_failure;
    }
    return true;
}

bool store::rewrite(const std::vector<segment*>& parts) {
    const sequence first = parts.front()->first();
    if (!keep_identities(first, parts.back()->next())) {
        return false;
    }
    const std::uint64_t growth = header_area_bytes + live_bytes(parts);
    make_way(growth);
    result<compacted> outcome = make_error(std::errc::no_space_on_device, {});
    const auto attempt = [&]() -> result<void> {
        outcome = compact(disk_, options_.directory, log_, parts, random_.next(), clock_.wall(),
                          marks_ahead_bytes(options_));
        return outcome ? result<void>{} : outcome.error();
    };
    // On a full disk only when much of the reserve stays for marks until this pays back.
    const auto done = growth <= reserve_.bytes() / 2 ? with_reserve(attempt) : attempt();
    if (!done) {
        note_once("compaction is put off: " + done.error().message);
        for (segment* part : parts) {
            part->stays = refusal_for(done.error()) != refusal::disk_full; // the others are not held up
        }
        return false;
    }
    replace(parts, std::move(outcome->made));
    for (const sequence number : outcome->damaged) {
        note(segment_name(first) + ": event " + std::to_string(number) +
             " cannot be read; it counts as lost");
    }
    return remove_superseded();
}

// From here on the sparse segment is the one that is read and marked. Its marks count as durable only when
// its name is: mark_log::sync() syncs the directory.
void store::replace(const std::vector<segment*>& parts, std::unique_ptr<segment> made) {
    const sequence first = parts.front()->first();
    for (segment* part : parts) {
        const mark_log& marks = part->marks;
        for (std::uint32_t each = marks.first_generation(); each <= marks.generation(); ++each) {
            log_.superseded.push_back(marks_name(part->first(), each));
        }
        log_.superseded_bytes += part->marks.bytes();
        if (part->first() != first) {
            log_.superseded.push_back(segment_name(part->first()));
            log_.superseded_bytes += part->file_bytes;
        }
        std::erase(dirty_, part);
        readers_.forget(options_.directory + "/" + segment_name(part->first()));
        log_.segments.erase(part->first());
    }
    log_.segments.emplace(first, std::move(made));
    recount();
    oldest_number_ = 0;
}

// What a compacted segment replaced goes when its own name is there for sure; and it is gone for sure before
// that segment may be retired, or it would count again after a crash.
bool store::remove_superseded() {
    if (log_.superseded.empty()) {
        return true;
    }
    auto done = disk_.sync_directory(options_.directory);
    for (const std::string& name : log_.superseded) {
        if (done) {
            done = disk_.remove(options_.directory + "/" + name);
            if (!done && done.error().code == std::errc::no_such_file_or_directory) {
                done = {};
            }
        }
    }
    if (done) {
        done = disk_.sync_directory(options_.directory);
    }
    if (!done) {
        note_once("what a compaction replaced stays: " + done.error().message);
        return false;
    }
    log_.superseded.clear();
    log_.superseded_bytes = 0;
    return true;
}

} // namespace linkrunner::spool
