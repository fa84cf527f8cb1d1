// Recovery: marks, and the files that a crash left behind.
#include "spool/file_names.hpp"
#include "spool/recovery.hpp"
#include "spool/whole_file.hpp"

#include <algorithm>

namespace linkrunner::spool {

// Segments that were counted into the totals, and whose removal a crash came before. The store removes them
// when the totals that were read here, maybe from the page cache, are on the disk for sure.
void recovery::pass_leaving() {
    for (const sequence first : log_.totals.leaving) {
        headers_.erase(first);
    }
}

// Segments whose survivors a compaction wrote to a sparse one, and whose removal a crash came before. Their
// marks, and those of what the sparse one replaced, are in it.
void recovery::pass_superseded() {
    sequence covered = 0; // up to this number, by a sparse segment
    std::erase_if(headers_, [&](const auto& each) {
        const auto& [first, header] = each;
        const bool superseded = first <= covered;
        if (superseded) {
            log_.superseded.push_back(segment_name(first));
            log_.superseded_bytes += size_of(segment_name(first));
        } else if (header.sparse) {
            covered = header.last;
        }
        pass_marks(first, [&](const std::optional<marks_header>& of) {
            return superseded || (of && header.id != 0 && of->segment_id != header.id);
        });
        return superseded;
    });
}

std::optional<marks_header> recovery::header_of_marks(const std::string& name) {
    const auto file = disk_.open(path(name), disk::mode::read);
    std::string bytes(marks_header_bytes, '\0');
    const auto got = file ? (*file)->read_at(0, bytes) : result<std::size_t>(file.error());
    return got ? decode_marks_header(std::string_view(bytes).substr(0, *got)) : std::nullopt;
}

// Leaves out marks files whose headers (if they can be read) are such.
void recovery::pass_marks(sequence first,
                          const std::function<bool(const std::optional<marks_header>&)>& such) {
    const auto files = marks_files_.find(first);
    if (files == marks_files_.end()) {
        return;
    }
    std::erase_if(files->second, [&](const marks_file& each) {
        const std::string name = marks_name(first, each.generation);
        const bool out = such(header_of_marks(name));
        if (out) {
            log_.superseded.push_back(name);
            log_.superseded_bytes += each.bytes;
        }
        return out;
    });
    if (files->second.empty()) {
        marks_files_.erase(files);
    }
}

void recovery::remove_orphans() {
    std::erase_if(marks_files_, [this](const auto& each) {
        if (headers_.contains(each.first) ||
            std::ranges::find(log_.totals.leaving, each.first) != log_.totals.leaving.end()) {
            return false;
        }
        for (const marks_file& one : each.second) {
            (void)disk_.remove(path(marks_name(each.first, one.generation)));
        }
        return true;
    });
}

void recovery::load_marks(segment& one) {
    const auto files = marks_files_.find(one.first());
    if (files == marks_files_.end()) {
        return;
    }
    std::uint64_t others = 0;
    for (const marks_file& each : files->second) {
        const std::string name = marks_name(one.first(), each.generation);
        const auto content = read_whole(disk_, path(name));
        std::uint64_t end = marks_header_bytes;
        if (content) {
            if (content->size() > marks_header_bytes) {
                const auto found =
                    scan_marks(std::string_view(*content).substr(marks_header_bytes), log_.salt,
                               [&](const mark_view& view) { apply_mark(one, view); });
                end += found.end;
            }
        } else {
            finding(name + ": " + content.error().message);
        }
        one.marks.resume(each.generation, end, each.bytes, others);
        if (content && one.header.id != 0 && !decode_marks_header(*content)) {
            one.marks.repair_header();
        }
        others += each.bytes;
    }
}

void recovery::apply_mark(segment& one, const mark_view& view) {
    if (view.number < one.first()) {
        return;
    }
    if (!one.header.sparse && view.number >= one.next() && view.number - one.next() < max_gap) {
        one.add_gap(view.number + 1, event_state::lost); // a mark shows that it was committed
    }
    if (one.header.sparse && !one.holds(view.number) && view.kind != void_mark) {
        one.note_missing(view.number, static_cast<mark_kind>(view.kind));
        return;
    }
    const event_state before = one.state(view.number);
    if (view.kind == void_mark) {
        if (before == event_state::lost) {
            one.set_state(view.number, event_state::absent);
        }
        return;
    }
    marked_ = std::max(marked_, view.number + 1);
    const auto kind = static_cast<mark_kind>(view.kind);
    if (kind == mark_kind::dead) {
        one.note_death(one.death_of(decode_whole_mark(view).letter));
    }
    if (before == event_state::lost) {
        // Its frame is damaged, but its end is known.
        const event_state end = after(event_state::pending, kind);
        one.set_state(view.number, is_live(end) ? before : end);
        return;
    }
    one.set_state(view.number, after(before, kind));
}

} // namespace linkrunner::spool
