#include "spool/audit.hpp"

#include "spool/file_names.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

namespace {

constexpr std::size_t most_differences = 100;
constexpr std::size_t most_of_a_segment = 10;
constexpr std::size_t most_damage = 1000;

const char* word_for(event_state state) noexcept {
    switch (state) {
    case event_state::absent:
        return "not accepted";
    case event_state::pending:
    case event_state::sending:
        return "pending";
    case event_state::dead:
        return "dead";
    case event_state::delivered:
        return "delivered";
    case event_state::handed_off:
        return "handed off";
    case event_state::dropped:
        return "dropped";
    case event_state::lost:
        return "lost";
    }
    return "unknown";
}

event_state plain(event_state state) noexcept {
    return state == event_state::sending ? event_state::pending : state;
}

// The first of two, where there is one.
std::optional<sequence> either(std::optional<sequence> one, std::optional<sequence> other) noexcept {
    return one && other ? std::min(*one, *other) : one ? one : other;
}

std::int64_t number(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>(value);
}

} // namespace

std::int64_t imbalance(const ledger& all) noexcept {
    return number(all.accepted) -
           number(all.delivered + all.handed_off + all.dead + all.dropped + all.lost + all.pending);
}

std::int64_t imbalance(const tally& all) noexcept {
    return number(all.accepted) - number(all.delivered + all.handed_off + all.dropped + all.lost);
}

bool audit::step(const log_state& log, const ledger& known, std::uint64_t bytes) {
    if (current_) {
        const auto live = log.segments.find(current_->table().first());
        if (live == log.segments.end() || live->second->header.id != current_id_) {
            current_.reset(); // retired meanwhile, or rewritten: then it is counted from its beginning
        } else if (!current_->step(bytes)) {
            finish_segment(*live->second);
        }
        return true;
    }
    auto each = log.segments.lower_bound(next_);
    while (each != log.segments.end() && each->second->unreadable) {
        ++each; // all of it is lost already
    }
    if (each == log.segments.end()) {
        finish(log, known);
        return false;
    }
    const segment& live = *each->second;
    const auto following = std::next(each);
    next_ = each->first;
    current_id_ = live.header.id;
    auto begun =
        segment_recount::begin(disk_, {live.header, directory_, log.salt,
                                       following == log.segments.end() ? 0 : following->first, !live.sealed});
    if (begun) {
        current_ = std::move(*begun);
    } else {
        differ(begun.error().message);
        ++next_;
    }
    return true;
}

void audit::finish_segment(const segment& live) {
    current_->apply_embedded();
    if (const auto read = current_->apply_marks_files(live.marks.first_generation(), live.marks.generation());
        !read) {
        differ(read.error().message);
    }
    live.marks.for_each_waiting([this](const mark_view& view) { current_->apply(view); });
    current_->settle(live.sealed ? live.next() : 0);
    compare(live);
    ++report_.segments;
    report_.frames += current_->frames();
    report_.marks += current_->marks();
    for (const damage& each : current_->damaged()) {
        if (report_.damaged.size() < most_damage) {
            report_.damaged.push_back(each);
        }
    }
    if (live.header.sparse && imbalance(live.header.removed) != 0) {
        differ(segment_name(live.first()) + ": the counts of what compaction removed do not add up");
    }
    next_ = live.first() + 1;
    current_.reset();
}

void audit::compare(const segment& live) {
    const segment& files = current_->table();
    const sequence end =
        live.sealed ? std::max(live.next(), files.next()) : std::min(live.next(), current_->frames_end());
    std::uint64_t others = 0;
    sequence from = live.first();
    while (const auto next = either(live.next_held(from), files.next_held(from))) {
        const sequence each = *next;
        if (each >= end) {
            break;
        }
        from = each + 1;
        const event_state kept = plain(live.state(each));
        const event_state read = plain(files.state(each));
        if (kept == read) {
            continue;
        }
        ++more_[static_cast<std::size_t>(read)];
        --more_[static_cast<std::size_t>(kept)];
        if (++others <= most_of_a_segment) {
            differ(segment_name(live.first()) + ": event " + std::to_string(each) + " is kept as " +
                   word_for(kept) + ", its files say " + word_for(read));
        }
    }
    if (others > most_of_a_segment) {
        differ(segment_name(live.first()) + ": and " + std::to_string(others - most_of_a_segment) +
               " more like these");
    }
}

void audit::finish(const log_state& log, const ledger& known) {
    check_totals(log);
    const auto more = [this](event_state state) { return more_[static_cast<std::size_t>(state)]; };
    const auto sum = [](std::uint64_t value, std::int64_t change) {
        return static_cast<std::uint64_t>(number(value) + change);
    };
    report_.known = known;
    ledger& files = report_.recounted;
    files.accepted = sum(known.accepted, -more(event_state::absent));
    files.delivered = sum(known.delivered, more(event_state::delivered));
    files.handed_off = sum(known.handed_off, more(event_state::handed_off));
    files.dead = sum(known.dead, more(event_state::dead));
    files.dropped = sum(known.dropped, more(event_state::dropped));
    files.lost = sum(known.lost, more(event_state::lost));
    files.pending = sum(known.pending, more(event_state::pending));
    if (const std::int64_t left = imbalance(known); left != 0) {
        differ("accepted is " + std::to_string(left > 0 ? left : -left) + (left > 0 ? " more" : " fewer") +
               " than all ends and the pending events together");
    }
}

// Retired segments are known by their totals alone: these must add up, and be those of the newest header.
void audit::check_totals(const log_state& log) {
    if (imbalance(log.totals.events) != 0) {
        differ("the totals of retired segments do not add up");
    }
    std::uint64_t numbers = log.totals.numbers;
    std::optional<retired_totals> newest;
    for (const auto& [first, one] : log.segments) {
        numbers += one->numbers();
        const auto file = disk_.open(directory_ + "/" + segment_name(first), disk::mode::read);
        std::string area(header_area_bytes, '\0');
        if (file && (*file)->read_at(0, area)) {
            auto totals = decode_totals(area);
            if (totals && (!newest || totals->generation > newest->generation)) {
                newest = std::move(totals);
            }
        }
    }
    if (newest && newest->generation > log.totals.generation) {
        differ("a segment header holds newer totals than those that are kept");
    } else if (newest && newest->generation == log.totals.generation &&
               (newest->events != log.totals.events || newest->numbers != log.totals.numbers)) {
        differ("the totals in the segment headers are not those that are kept");
    }
    if (numbers != log.next - 1) {
        differ(std::to_string(log.next - 1) + " numbers were given out, and " + std::to_string(numbers) +
               " are accounted for");
    }
}

void audit::differ(std::string text) {
    if (report_.differences.size() < most_differences) {
        report_.differences.push_back(std::move(text));
    }
}

} // namespace linkrunner::spool
