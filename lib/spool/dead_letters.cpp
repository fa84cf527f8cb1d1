#include "spool/dead_letters.hpp"

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

// One stretch: dead events of one segment.
class stretch {
  public:
    stretch(const store& from, const dead_filter& filter) : store_(from), filter_(filter) {}

    // The first dead events from `first` on that the filter's numbers allow.
    void choose(sequence first) {
        next_ = first;
        for (const auto& [name, one] : store_.log().segments) {
            if (one->next() <= first || one->count(event_state::dead) == 0) {
                continue;
            }
            if (one->first() >= filter_.before) {
                break;
            }
            filter_.numbers.empty() ? choose_any(*one, first) : choose_named(*one, first);
            if (!candidates_.empty()) {
                segment_ = one.get();
                return;
            }
        }
        at_end_ = true;
    }

    // Looks into the marks and frames, as far as they are wanted, and keeps those that the filter lets
    // through.
    result<void> look(bool letters, bool frames, bool bodies, std::size_t max_events, std::size_t max_bytes) {
        if (segment_ == nullptr) {
            return {};
        }
        if (letters || filter_.reason) {
            if (auto read = read_letters(); !read) {
                return read;
            }
            if (filter_.reason) {
                std::erase_if(candidates_, [this](const dead_event& each) {
                    return !each.letter || each.letter->reason != *filter_.reason;
                });
            }
        }
        if (frames || filter_.name || filter_.event_id || filter_.accepted_before || filter_.accepted_since) {
            return read_frames(bodies, max_events, max_bytes);
        }
        return {};
    }

    std::vector<dead_event> take() { return std::move(candidates_); }
    sequence next() const noexcept { return next_; }
    bool at_end() const noexcept {
        return at_end_ || std::ranges::none_of(store_.log().segments, [this](const auto& each) {
                   const auto number = each.second->next_in_state(event_state::dead, next_);
                   return number && *number < filter_.before;
               });
    }
    const segment* where() const noexcept { return segment_; }

  private:
    void choose_any(const segment& one, sequence first) {
        auto number = one.next_in_state(event_state::dead, std::max(first, one.first()));
        while (number && *number < filter_.before && candidates_.size() < most_candidates) {
            add(*number);
            number = one.next_in_state(event_state::dead, *number + 1);
        }
    }

    void choose_named(const segment& one, sequence first) {
        auto each = std::ranges::lower_bound(filter_.numbers, std::max(first, one.first()));
        for (; each != filter_.numbers.end() && *each < one.next() && *each < filter_.before &&
               candidates_.size() < most_candidates;
             ++each) {
            if (one.state(*each) == event_state::dead) {
                add(*each);
            }
        }
    }

    void add(sequence number) {
        candidates_.emplace_back().event.number = number;
        next_ = number + 1;
    }

    dead_event* find(sequence number) {
        const auto found = std::ranges::lower_bound(candidates_, number, {},
                                                    [](const dead_event& each) { return each.event.number; });
        return found != candidates_.end() && found->event.number == number ? &*found : nullptr;
    }

    void take_letter(const mark_view& view) {
        if (view.kind != static_cast<std::uint8_t>(mark_kind::dead)) {
            return;
        }
        if (dead_event* one = find(view.number)) {
            dead_letter letter =
                decode_whole_mark(view).letter; // of several the last one counts: it died again
            const bool bare =
                letter.reason == dead_reason::rejected && letter.attempts == 0; // its text was damaged
            one->letter = bare ? std::nullopt : std::optional(std::move(letter));
        }
    }

    // One pass over the marks of the segment, those that compaction wrote into the segment itself before.
    result<void> read_letters() {
        const auto each = [this](const mark_view& view) { take_letter(view); };
        if (segment_->header.sparse) {
            const auto file = open();
            if (!file) {
                return file.error();
            }
            frame_reader reader(**file, header_area_bytes, segment_->end, store_.log().salt, buffer_,
                                read_chunk_bytes);
            while (const auto frame = reader.next()) {
                if (frame->head.type == frame_type::mark) {
                    scan_marks(frame->frame.substr(frame_head_bytes), store_.log().salt, each);
                }
            }
        }
        return segment_->marks.for_each(each);
    }

    result<void> read_frames(bool bodies, std::size_t max_events, std::size_t max_bytes) {
        const auto file = open();
        if (!file) {
            return file.error();
        }
        if (candidates_.empty()) {
            return {};
        }
        frame_reader reader(**file, segment_->offset_before(candidates_.front().event.number), segment_->end,
                            store_.log().salt, buffer_, read_chunk_bytes);
        std::vector<dead_event> kept;
        std::size_t read_bytes = 0;
        std::size_t kept_bytes = 0;
        for (dead_event& each : candidates_) {
            const bool enough = kept.size() >= std::max<std::size_t>(max_events, 1) ||
                                (bodies && kept_bytes >= max_bytes) || read_bytes >= most_read_bytes;
            if (enough) {
                next_ = each.event.number;
                break;
            }
            reader.seek(std::max(reader.position(), segment_->offset_before(each.event.number)));
            const auto found = reader.find(each.event.number);
            if (auto event = found ? decode_event(found->head, found->frame) : std::nullopt) {
                each.event = std::move(*event);
                each.readable = true;
                each.body_bytes = each.event.body.size();
                read_bytes += each.body_bytes + event_head_bytes;
                if (!bodies) {
                    std::string().swap(each.event.body);
                }
            }
            if (lets_through(each)) {
                kept_bytes += each.event.body.size();
                kept.push_back(std::move(each));
            }
        }
        candidates_ = std::move(kept);
        return {};
    }

    bool lets_through(const dead_event& one) const {
        return (!filter_.name || (one.readable && one.event.name == *filter_.name)) &&
               (!filter_.event_id || (one.readable && one.event.event_id == *filter_.event_id)) &&
               (!filter_.accepted_before ||
                (one.readable && one.event.accepted_at < *filter_.accepted_before)) &&
               (!filter_.accepted_since ||
                (one.readable && one.event.accepted_at >= *filter_.accepted_since));
    }

    result<std::unique_ptr<disk_file>> open() const {
        return store_.files().open(store_.directory() + "/" + segment_name(segment_->first()),
                                   disk::mode::read);
    }

    const store& store_;
    const dead_filter& filter_;
    const segment* segment_ = nullptr;
    std::vector<dead_event> candidates_;
    std::string buffer_;
    sequence next_ = 0;
    bool at_end_ = false;
};

} // namespace

result<dead_page> read_dead(const store& from, const dead_query& what) {
    stretch one(from, what.filter);
    one.choose(what.from);
    if (auto looked = one.look(true, true, what.bodies, what.max_events, what.max_bytes); !looked) {
        return looked.error();
    }
    dead_page out;
    out.events = one.take();
    out.next = one.next();
    out.at_end = one.at_end();
    return out;
}

result<dead_numbers> select_dead(const store& from, const dead_filter& filter, sequence first) {
    stretch one(from, filter);
    one.choose(first);
    if (auto looked = one.look(false, false, false, most_candidates, 0); !looked) {
        return looked.error();
    }
    dead_numbers out;
    for (const dead_event& each : one.take()) {
        out.lanes_and_numbers.emplace_back(one.where()->lane(each.event.number), each.event.number);
    }
    out.next = one.next();
    out.at_end = one.at_end();
    return out;
}

} // namespace linkrunner::spool
