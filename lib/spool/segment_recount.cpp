#include "spool/segment_recount.hpp"

#include "spool/bytes.hpp"
#include "spool/file_names.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {

constexpr std::size_t chunk_bytes = 1 << 20;
constexpr std::size_t most_damage = 1000; // places that are remembered

// What a mark makes of an event whose frame is gone: its end, if that is what the mark tells.
event_state of_lost(mark_kind kind) noexcept {
    const event_state end = after(event_state::pending, kind);
    return is_live(end) ? event_state::lost : end;
}

} // namespace

result<std::unique_ptr<segment_recount>> segment_recount::begin(disk& files, const request& what) {
    auto file = files.open(what.directory + "/" + segment_name(what.header.first), disk::mode::read);
    if (!file) {
        return file.error();
    }
    const auto size = (*file)->size();
    if (!size) {
        return size.error();
    }
    return std::unique_ptr<segment_recount>(new segment_recount(files, what, std::move(*file), *size));
}

segment_recount::segment_recount(disk& files, const request& what, std::unique_ptr<disk_file> file,
                                 std::uint64_t size)
    : disk_(files), request_(what), file_(std::move(file)), size_(size),
      reader_(*file_, std::min<std::uint64_t>(header_area_bytes, size), size, what.salt, buffer_,
              chunk_bytes),
      table_(what.header, mark_log(files, what.directory, what.header.first, {what.header.id, 0}, 0)),
      frames_end_(what.header.first) {}

bool segment_recount::step(std::uint64_t bytes) {
    const std::uint64_t until = reader_.position() + bytes;
    while (reader_.position() < until) {
        const auto frame = reader_.next();
        if (!frame) {
            look_behind_the_last_frame();
            return false;
        }
        take(*frame);
    }
    return true;
}

void segment_recount::take(const frame_reader::found& frame) {
    const frame_head head = frame.head;
    const auto skipped = reader_.skipped();
    const std::uint64_t end = frame.offset + head.padded_bytes();
    gap before{skipped, table_.next(), table_.next()};
    if (head.type == frame_type::mark) {
        embedded_ += frame.frame.substr(frame_head_bytes);
    } else if (head.type == frame_type::event) {
        const bool refused = request_.limit != 0 && head.number >= request_.limit;
        const bool in_order = table_.header.sparse
                                  ? head.number >= table_.first() && head.number <= table_.header.last &&
                                        head.number >= frames_end_
                                  : head.number >= table_.next();
        if (refused || !in_order) {
            return;
        }
        before.to = table_.header.sparse ? before.from : head.number;
        const bool whole = decode_event(head, frame.frame).has_value();
        table_.add(head.number, head.lane, frame.offset, whole ? event_state::pending : event_state::lost);
        if (!whole) {
            note(segment_name(table_.first()), frame.offset, head.length_bytes,
                 "event " + std::to_string(head.number) + " does not make sense");
        }
        frames_end_ = head.number + 1;
        ++frames_;
    }
    if (before.from != before.to || skipped.from != skipped.to) {
        gaps_.push_back(before);
    }
    table_.end = end;
}

void segment_recount::look_behind_the_last_frame() {
    if (request_.growing) {
        return;
    }
    std::uint64_t last = table_.end;
    for (std::uint64_t at = table_.end; at < size_; at += chunk_bytes) {
        if (const std::size_t length = length_without_zeros(reader_.bytes_at(at, chunk_bytes)); length > 0) {
            last = at + length;
        }
    }
    torn_bytes_ = last - table_.end;
}

void segment_recount::apply_embedded() {
    scan_marks(embedded_, request_.salt, [this](const mark_view& view) { apply(view); });
}

void segment_recount::apply(const mark_view& view) {
    ++marks_;
    if (view.number < table_.first()) {
        return;
    }
    if (view.number >= table_.next()) {
        // A mark shows that its event was accepted. While the file grows it may be one that came later.
        const bool believed = !request_.growing && !table_.header.sparse &&
                              (request_.limit == 0 || view.number < request_.limit) &&
                              view.number - table_.next() < (std::uint64_t{1} << 26);
        if (!believed) {
            return;
        }
        table_.add_gap(view.number + 1, event_state::lost);
    }
    const event_state before = table_.state(view.number);
    if (view.kind == void_mark) {
        if (before == event_state::lost) {
            table_.set_state(view.number, event_state::absent);
        }
        return;
    }
    const auto kind = static_cast<mark_kind>(view.kind);
    table_.set_state(view.number, before == event_state::lost ? of_lost(kind) : after(before, kind));
}

result<void> segment_recount::apply_marks_files(std::uint32_t oldest, std::uint32_t newest) {
    for (std::uint32_t generation = oldest; generation <= newest; ++generation) {
        const std::string name = marks_name(table_.first(), generation);
        const auto file = disk_.open(request_.directory + "/" + name, disk::mode::read);
        if (!file && file.error().code == std::errc::no_such_file_or_directory) {
            continue;
        }
        if (!file) {
            return file.error();
        }
        apply_marks_file(name, **file);
    }
    return {};
}

void segment_recount::apply_marks_file(const std::string& name, disk_file& file) {
    std::string area(marks_header_bytes, '\0');
    (void)file.read_at(0, area);
    const auto header = decode_marks_header(area);
    if (header && table_.header.id != 0 && header->segment_id != table_.header.id) {
        return;
    }
    std::string buffer;
    mark_reader reader(file, marks_header_bytes, request_.salt, buffer);
    while (const auto view = reader.next()) {
        apply(*view);
    }
    if (!header && !all_zero(area)) {
        note(name, 0, marks_header_bytes, "the header of the marks is damaged; its records count");
    }
    for (const auto& each : reader.damaged()) {
        note(name, each.from, each.to - each.from, "damaged marks: their events may be sent again");
    }
    if (reader.failure()) {
        note(name, 0, 0, reader.failure()->message);
    }
}

bool segment_recount::anything_lost(const gap& one) const {
    for (sequence number = one.from; number < one.to; ++number) {
        if (table_.state(number) != event_state::absent) {
            return true;
        }
    }
    return false;
}

void segment_recount::settle(sequence end) {
    const std::string name = segment_name(table_.first());
    for (const gap& each : gaps_) {
        const std::uint64_t bytes = each.where.to - each.where.from;
        if (each.from != each.to && (bytes == 0 || !anything_lost(each))) {
            continue; // left out by a repair; or a group that a crash cut short, as its marks say
        }
        if (each.from == each.to) {
            const auto skipped =
                reader_.bytes_at(each.where.from, std::min<std::uint64_t>(bytes, chunk_bytes));
            if (!all_zero(skipped)) {
                note(name, each.where.from, bytes,
                     table_.header.sparse
                         ? "damaged; an event that stood here is lost, unless a mark says how it ended"
                         : "damaged, but no event");
            }
            continue;
        }
        const bool one = each.to - each.from == 1;
        note(name, each.where.from, bytes,
             (one ? "event " : "events ") + std::to_string(each.from) +
                 (one ? "" : " to " + std::to_string(each.to - 1)) + (one ? " is" : " are") + " damaged");
    }
    if (reader_.failure()) {
        note(name, 0, reader_.unreadable_bytes(), "cannot be read: " + reader_.failure()->message);
    }
    if (table_.header.sparse || end <= table_.next()) {
        return;
    }
    note(name, table_.end, torn_bytes_,
         "the end is missing: events " + std::to_string(table_.next()) + " to " + std::to_string(end - 1));
    torn_bytes_ = 0;
    table_.add_gap(end, event_state::lost);
}

void segment_recount::note(std::string file, std::uint64_t offset, std::uint64_t bytes, std::string what) {
    if (damaged_.size() < most_damage) {
        damaged_.push_back({std::move(file), offset, bytes, std::move(what)});
    }
}

} // namespace linkrunner::spool
