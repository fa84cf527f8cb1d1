#include "spool/pending_events.hpp"

#include "spool/file_names.hpp"
#include "spool/frame_reader.hpp"
#include "spool/store.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

namespace {

constexpr std::size_t most_candidates = 1000; // looked at in one stretch
constexpr std::size_t most_read_bytes = 2 << 20;
constexpr std::size_t read_chunk_bytes = 64 << 10;

std::optional<sequence> next_candidate(const segment& in, const pending_filter& filter, sequence from) {
    const auto found = in.next_pending(filter.lane ? *filter.lane : -1, std::max(from, in.first()));
    return found && *found < filter.before ? found : std::nullopt;
}

bool lets_through(const pending_filter& filter, const pending_event& one) {
    return (!filter.name || (one.readable && one.event.name == *filter.name)) &&
           (!filter.event_id || (one.readable && one.event.event_id == *filter.event_id)) &&
           (!filter.accepted_before || (one.readable && one.event.accepted_at < *filter.accepted_before));
}

} // namespace

result<pending_page> read_pending(const store& from, const pending_query& what) {
    pending_filter filter = what.filter;
    sequence begin = what.from;
    if (filter.number) {
        begin = std::max(begin, *filter.number);
        filter.before = std::min(filter.before, *filter.number + 1);
    }
    pending_page out;
    out.next = begin;
    for (const auto& [name, one] : from.log().segments) {
        auto number = one->next() > begin ? next_candidate(*one, filter, begin) : std::nullopt;
        if (!number) {
            continue;
        }
        const auto file =
            from.files().open(from.directory() + "/" + segment_name(one->first()), disk::mode::read);
        if (!file) {
            return file.error();
        }
        std::string buffer;
        frame_reader reader(**file, one->offset_before(*number), one->end, from.log().salt, buffer,
                            read_chunk_bytes);
        std::size_t looked_at = 0;
        std::size_t read_bytes = 0;
        std::size_t kept_bytes = 0;
        for (; number; number = next_candidate(*one, filter, *number + 1)) {
            const bool full = out.events.size() >= std::max<std::size_t>(what.max_events, 1) ||
                              (kept_bytes > 0 && kept_bytes >= what.max_bytes);
            if (full || looked_at >= most_candidates || read_bytes >= most_read_bytes) {
                out.next = *number;
                return out;
            }
            pending_event found;
            found.event.number = *number;
            found.event.lane = one->lane(*number);
            reader.seek(std::max(reader.position(), one->offset_before(*number)));
            const auto frame = reader.find(*number);
            if (auto event = frame ? decode_event(frame->head, frame->frame) : std::nullopt) {
                event->lane = found.event.lane;
                found.event = std::move(*event);
                found.readable = true;
            }
            ++looked_at;
            read_bytes += found.event.body.size() + event_head_bytes;
            if (lets_through(filter, found)) {
                kept_bytes += found.event.body.size() + 1;
                out.events.push_back(std::move(found));
            }
        }
        out.next = one->next();
        begin = out.next;
        if (looked_at >= most_candidates / 2) {
            return out;
        }
    }
    out.at_end = true;
    return out;
}

} // namespace linkrunner::spool
