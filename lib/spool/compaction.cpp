#include "spool/compaction.hpp"

#include "spool/file_names.hpp"
#include "spool/frame_reader.hpp"
#include "spool/sparse_file.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace linkrunner::spool {

namespace {

constexpr std::size_t chunk_bytes = 256 << 10;
constexpr std::uint64_t most_segments_at_once = 4; // in bytes that may have to be read: the disk thread waits
constexpr sequence most_numbers = std::uint64_t{1} << 31;

bool may_join(const segment& one) {
    return one.sealed && !one.needs_cut && !one.unreadable && !one.stays && !one.finished();
}

class rewriting {
  public:
    rewriting(disk& files, const std::string& directory, std::uint32_t salt, sparse_file& out,
              compacted& made)
        : disk_(files), directory_(directory), salt_(salt), out_(out), made_(made) {}

    result<void> copy(const segment& part) {
        if (auto done = find_letters(part); !done) {
            return done;
        }
        const auto file = disk_.open(directory_ + "/" + segment_name(part.first()), disk::mode::read);
        if (!file) {
            return file.error();
        }
        frame_reader reader(**file, header_area_bytes, part.end, salt_, buffer_, chunk_bytes);
        for (auto number = part.next_live(0); number; number = part.next_live(*number + 1)) {
            reader.seek(std::max(reader.position(), part.offset_before(*number)));
            const auto found = reader.find(*number);
            if (reader.failure()) {
                return *reader.failure();
            }
            if (!found) {
                made_.damaged.push_back(*number);
                continue;
            }
            if (auto done = keep(part, *found, reader); !done) {
                return done;
            }
        }
        return {};
    }

  private:
    // The last letter of each dead event, as far as it stands in marks files.
    result<void> find_letters(const segment& part) {
        letters_.clear();
        if (part.count(event_state::dead) == 0) {
            return {};
        }
        return part.marks.for_each([&](const mark_view& view) {
            if (view.kind == static_cast<std::uint8_t>(mark_kind::dead) &&
                part.state(view.number) == event_state::dead) {
                letters_[view.number] = view.record;
            }
        });
    }

    result<void> keep(const segment& part, const frame_reader::found& event, frame_reader& reader) {
        const sequence number = event.head.number;
        const event_state state = part.state(number);
        made_.made->add(number, event.head.lane, out_.end(), state);
        if (auto done = out_.add(event.frame); !done || state == event_state::pending) {
            return done;
        }
        frame_.clear();
        encode_frame(frame_, frame_type::mark, number, record_of(number, state, reader), salt_);
        return out_.add(frame_);
    }

    // The mark that an event goes on with. The reader stands after the event's frame: in a part that is
    // sparse itself its mark follows.
    std::string record_of(sequence number, event_state state, frame_reader& reader) {
        const auto letter = letters_.find(number);
        if (letter != letters_.end()) {
            return letter->second;
        }
        if (state == event_state::dead) {
            const std::uint64_t after = reader.position();
            const auto next = reader.next();
            if (next && next->head.type == frame_type::mark && next->head.number == number) {
                const std::string record(next->frame.substr(frame_head_bytes));
                const auto view = decode_mark(record, salt_);
                if (view && view->kind == static_cast<std::uint8_t>(mark_kind::dead)) {
                    return record;
                }
            }
            reader.seek(after);
        }
        mark bare; // one whose letter was damaged stays dead without it
        bare.number = number;
        bare.kind = state == event_state::sending ? mark_kind::sending : mark_kind::dead;
        std::string record;
        encode_mark(record, bare, salt_);
        return record;
    }

    disk& disk_;
    const std::string& directory_;
    std::uint32_t salt_;
    sparse_file& out_;
    compacted& made_;
    std::map<sequence, std::string> letters_;
    std::string buffer_;
    std::string frame_;
};

// What of the parts is not carried over.
void sum_up(segment_header& header, const std::vector<segment*>& parts, const compacted& made) {
    for (const segment* part : parts) {
        tally all = part->sum();
        all.accepted -= part->live();
        header.removed.add(all);
        header.numbers += part->numbers();
        header.kept += part->live();
    }
    header.removed.accepted += made.damaged.size();
    header.removed.lost += made.damaged.size();
    header.kept -= made.damaged.size();
}

std::optional<wall_time> oldest_death(const std::vector<segment*>& parts) {
    std::optional<wall_time> oldest;
    for (const segment* part : parts) {
        if (part->oldest_death && (!oldest || *part->oldest_death < *oldest)) {
            oldest = part->oldest_death;
        }
    }
    return oldest;
}

} // namespace

std::vector<segment*> worth_compacting(const log_state& log, const settings& options) {
    const std::uint64_t most_live = options.segment_bytes / 2;
    const std::uint64_t most_size = options.segment_bytes * most_segments_at_once;
    const std::uint64_t least_gain = options.segment_bytes / 8;
    std::vector<segment*> best;
    std::uint64_t best_gain = 0;
    for (auto start = log.segments.begin(); start != log.segments.end(); ++start) {
        std::vector<segment*> parts;
        std::uint64_t live = 0;
        std::uint64_t size = 0;
        for (auto each = start; each != log.segments.end() && may_join(*each->second); ++each) {
            live += each->second->live_bytes();
            size += each->second->size_bytes();
            if (live > most_live || each->second->next() - start->first > most_numbers ||
                (size > most_size && !parts.empty())) {
                break;
            }
            parts.push_back(each->second.get());
            const std::uint64_t after = live + header_area_bytes;
            const std::uint64_t gain = size > after ? size - after : 0;
            if (gain >= std::max(live, least_gain) && gain > best_gain) {
                best_gain = gain;
                best = parts;
            }
        }
    }
    return best;
}

std::uint64_t live_bytes(const std::vector<segment*>& parts) {
    std::uint64_t sum = 0;
    for (const segment* part : parts) {
        sum += part->live_bytes();
    }
    return sum;
}

result<compacted> compact(disk& files, const std::string& directory, const log_state& log,
                          const std::vector<segment*>& parts, std::uint64_t id, wall_time now,
                          std::uint64_t marks_ahead_bytes) {
    segment_header header;
    header.sparse = true;
    header.first = parts.front()->first();
    header.last = parts.back()->next() - 1;
    header.hash_seed = log.hash_seed;
    header.id = id;
    header.created_at = now;
    compacted out;
    out.made = std::make_unique<segment>(
        header, mark_log(files, directory, header.first, {id, log.hash_seed}, marks_ahead_bytes),
        parts.front()->last_lane());
    out.made->marks.begin_after(parts.front()->marks);
    sparse_file file(files, directory + "/" + segment_name(header.first));
    auto done = file.begin();
    rewriting work(files, directory, log.salt, file, out);
    for (const segment* part : parts) {
        if (done) {
            done = work.copy(*part);
        }
    }
    if (done) {
        segment& made = *out.made;
        made.end = file.end();
        made.file_bytes = file.end();
        made.sealed = true;
        made.oldest_death = oldest_death(parts);
        made.reserve_exact();
        sum_up(made.header, parts, out);
        done = file.finish(made.header, log.totals);
    }
    if (!done) {
        return done.error();
    }
    return out;
}

} // namespace linkrunner::spool
