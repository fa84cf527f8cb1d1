#include "spool/segment_scan.hpp"

#include "base/crc32c.hpp"
#include "spool/bytes.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {

constexpr std::size_t chunk_bytes = 1 << 20;
constexpr std::uint64_t sector_bytes = 512;

// No segment holds more events: one that is longer than 16 MiB takes no further group, and a group's requests
// have bodies of a few hundred MiB at most. A frame whose number is farther ahead is none of ours.
constexpr std::uint64_t most_missing = 1 << 22;

class scan {
  public:
    scan(disk_file& file, segment& into, const scan_request& request, std::string& buffer)
        : segment_(into), request_(request),
          reader_(file, std::min<std::uint64_t>(header_area_bytes, request.size), request.size, request.salt,
                  buffer, chunk_bytes) {}

    scan_result run() {
        while (const auto frame = reader_.next()) {
            take(*frame);
        }
        look_at_tail();
        if (reader_.failure()) {
            out_.findings.push_back(request_.name + ": " + std::to_string(reader_.unreadable_bytes()) +
                                    " bytes cannot be read (" + reader_.failure()->message + ")");
        }
        return std::move(out_);
    }

  private:
    void take(const frame_reader::found& frame) {
        const frame_head& head = frame.head;
        const std::uint64_t frame_end = frame.offset + head.padded_bytes();
        if (request_.limit != 0 && head.number >= request_.limit && head.type == frame_type::event) {
            out_.refused_frames = true;
            return;
        }
        const auto skipped = reader_.skipped();
        switch (head.type) {
        case frame_type::closed:
            out_.committed = std::max(out_.committed, head.number);
            break;
        case frame_type::mark:
            request_.mark(frame.frame.substr(frame_head_bytes));
            break;
        case frame_type::event:
            if (head.number < segment_.next() && !segment_.header.sparse) {
                finding(frame.offset,
                        "frame of event " + std::to_string(head.number) + " out of order, ignored");
                return;
            }
            take_event(frame);
            break;
        }
        if (skipped.from != skipped.to && head.type != frame_type::event) {
            note_damage(skipped);
        }
        segment_.end = frame_end;
    }

    void take_event(const frame_reader::found& frame) {
        const sequence number = frame.head.number;
        const event_head about = decode_event_head(frame.frame); // before the reader moves on
        const auto skipped = reader_.skipped();
        if (segment_.header.sparse) {
            if (number <= last_sparse_ || number < segment_.header.first || number > segment_.header.last) {
                return;
            }
            last_sparse_ = number;
        } else if (number - segment_.next() > most_missing) {
            finding(frame.offset, "frame of event " + std::to_string(number) + " out of order, ignored");
            return;
        } else if (number > segment_.next()) {
            out_.holes.push_back({segment_.next(), number, skipped.from, has_empty_sector(skipped)});
        }
        if (skipped.from != skipped.to) {
            note_damage(skipped);
        }
        out_.committed =
            std::max(out_.committed, number - std::min<sequence>(number, frame.head.group_index));
        segment_.add(number, frame.head.lane, frame.offset);
        request_.identity(number, about);
    }

    // After the last frame: zeros, a torn group, or a damaged last frame.
    void look_at_tail() {
        std::uint64_t last = segment_.end; // one past the last byte that is not zero
        for (std::uint64_t at = segment_.end; at < request_.size; at += chunk_bytes) {
            const auto bytes = reader_.bytes_at(at, chunk_bytes);
            if (const std::size_t length = length_without_zeros(bytes); length > 0) {
                last = at + length;
            }
        }
        if (last == segment_.end || out_.refused_frames || segment_.header.sparse) {
            return;
        }
        if (whole_but_damaged(segment_.end, last)) {
            out_.holes.push_back({segment_.next(), segment_.next() + 1, segment_.end, false});
            finding(segment_.end,
                    "damaged frame of event " + std::to_string(segment_.next()) + " at the end");
            segment_.add_gap(segment_.next() + 1, event_state::lost);
            segment_.end = round_up(last, 8);
            return;
        }
        out_.torn_bytes = last - segment_.end;
    }

    // Whether [at, last) looks like a frame that was written whole: a torn one ends early or lacks a sector.
    bool whole_but_damaged(std::uint64_t at, std::uint64_t last) {
        if (last - at < event_head_bytes || last - at > max_frame_bytes || has_empty_sector({at, last})) {
            return false;
        }
        const auto frame = reader_.bytes_at(at, last - at);
        const auto length = get<std::uint32_t>(frame.data() + 8);
        const auto number = get<std::uint64_t>(frame.data() + 16);
        if (number == segment_.next() && length == frame.size()) {
            return true;
        }
        return crc32c(frame.substr(frame_head_bytes), request_.salt) == get<std::uint32_t>(frame.data() + 4);
    }

    // A sector, or what is left of one behind frames committed before, that was never written.
    bool has_empty_sector(frame_reader::damage where) {
        while (where.from < where.to) {
            const std::uint64_t next = std::min(where.to, round_up(where.from + 1, sector_bytes));
            const bool to_the_end = next % sector_bytes == 0;
            if (to_the_end && all_zero(reader_.bytes_at(where.from, next - where.from))) {
                return reader_.unreadable_bytes() == 0;
            }
            where.from = next;
        }
        return false;
    }

    void note_damage(frame_reader::damage where) {
        finding(where.from, "damaged, " + std::to_string(where.to - where.from) + " bytes skipped");
    }

    void finding(std::uint64_t offset, const std::string& what) {
        out_.findings.push_back(request_.name + ": offset " + std::to_string(offset) + ": " + what);
    }

    segment& segment_;
    const scan_request& request_;
    frame_reader reader_;
    scan_result out_;
    sequence last_sparse_ = 0;
};

} // namespace

scan_result scan_segment(disk_file& file, segment& into, const scan_request& request, std::string& buffer) {
    return scan(file, into, request, buffer).run();
}

} // namespace linkrunner::spool
