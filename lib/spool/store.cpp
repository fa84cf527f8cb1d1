#include "spool/store.hpp"

#include "spool/file_names.hpp"
#include "spool/frame_reader.hpp"
#include "spool/recovery.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

namespace {

constexpr std::size_t open_readers = 8;
constexpr std::size_t read_chunk_bytes = 64 << 10;
constexpr std::uint64_t least_segment_bytes = 16 << 10;
constexpr std::uint64_t most_segment_bytes = std::uint64_t{1} << 30;
constexpr std::size_t kept_buffer_bytes = 1 << 20;

// At least eight segments to the limit, or whole segments could not be given back in time.
settings fitted(settings options) {
    const std::uint64_t most = std::clamp(options.max_bytes / 8, least_segment_bytes, most_segment_bytes);
    options.segment_bytes = std::clamp(options.segment_bytes, least_segment_bytes, most);
    return options;
}

} // namespace

result<std::unique_ptr<store>> store::open(const settings& options, disk& files, const clock& time,
                                           random_source& random, recovery_report& report) {
    const settings fit = fitted(options);
    if (auto made = files.make_directory(fit.directory); !made) {
        return made.error();
    }
    auto lock = files.lock(fit.directory + "/lock");
    if (!lock) {
        return lock.error();
    }
    auto log = recovery(fit, files, time, random, report).run();
    if (!log) {
        return log.error();
    }
    std::unique_ptr<store> opened(new store(fit, files, time, random, std::move(*lock), std::move(*log)));
    opened->try_again();
    opened->retire_finished();
    opened->publish();
    return opened;
}

store::store(const settings& options, disk& files, const clock& time, random_source& random,
             std::unique_ptr<disk_file> lock, log_state log)
    : options_(options), disk_(files), clock_(time), random_(random), lock_(std::move(lock)),
      log_(std::move(log)), tail_(files, options.directory, segment_ahead_bytes(options)),
      reserve_(files, options.directory, log_.reserve_bytes, marks_ahead_bytes(options)),
      readers_(files, open_readers), opened_wall_(time.wall()), opened_steady_(time.steady()) {
    recount();
    for (const auto& [first, one] : log_.segments) {
        if (one->marks.dirty()) { // recovery could not write what it marked
            dirty_.push_back(one.get());
            marks_unsynced_since_ = time.steady();
        }
    }
}

void store::recount() {
    gone_ = log_.totals.events;
    counts_ = {};
    lane_pending_ = {};
    for (const auto& [first, one] : log_.segments) {
        gone_.add(one->header.removed);
        for (std::size_t state = 0; state < event_states; ++state) {
            counts_[state] += one->count(static_cast<event_state>(state));
        }
        for (std::size_t lane = 0; lane < max_lanes; ++lane) {
            lane_pending_[lane] += one->pending(static_cast<int>(lane));
        }
    }
}

store::~store() = default;

void store::commit(std::span<append_job> appends, std::span<mark_job> marks) {
    lanes_stored_ = 0;
    sync_seconds_.reset();
    apply(marks);
    append_group(appends);
    const bool durable = std::ranges::any_of(marks, &mark_job::durable);
    if (durable) {
        const auto synced = sync_marks();
        for (mark_job& job : marks) {
            job.outcome = synced;
        }
    }
    publish();
}

result<batch> store::read(std::uint8_t lane, sequence from, std::size_t max_events, std::size_t max_bytes) {
    batch out;
    std::size_t bytes = 0;
    auto each = log_.segments.upper_bound(from);
    if (each != log_.segments.begin()) {
        --each;
    }
    for (; each != log_.segments.end(); ++each) {
        segment& one = *each->second;
        auto wanted = one.pending(lane) > 0 ? one.next_pending(lane, from) : std::nullopt;
        if (!wanted) {
            continue;
        }
        const auto file = readers_.get(options_.directory + "/" + segment_name(one.first()));
        if (!file) {
            if (out.events.empty()) {
                return file.error();
            }
            out.next = *wanted;
            return out;
        }
        frame_reader reader(**file, one.offset_before(*wanted), one.end, log_.salt, read_buffer_,
                            read_chunk_bytes);
        for (; wanted; wanted = one.next_pending(lane, *wanted + 1)) {
            if (out.events.size() >= std::max<std::size_t>(max_events, 1) ||
                (bytes >= max_bytes && !out.events.empty())) {
                out.next = *wanted;
                return out;
            }
            reader.seek(std::max(reader.position(), one.offset_before(*wanted)));
            const auto found = reader.find(*wanted);
            auto event = found ? decode_event(found->head, found->frame) : std::nullopt;
            if (!event && reader.failure() && may_pass(*wanted)) {
                if (out.events.empty()) {
                    return *reader.failure();
                }
                out.next = *wanted;
                return out;
            }
            if (!event) {
                change_state(one, *wanted, event_state::lost);
                publish();
                note(segment_name(one.first()) + ": event " + std::to_string(*wanted) +
                     " cannot be read; it counts as lost" +
                     (reader.failure() ? " (" + reader.failure()->message + ")" : std::string()));
                continue;
            }
            event->lane = one.lane(*wanted);
            event->sending_marked = one.state(*wanted) == event_state::sending;
            if (room_wanted_ && *wanted >= room_wanted_->first && *wanted < room_wanted_->last) {
                handed_out_.push_back(*wanted);
            }
            bytes += event->body.size();
            out.events.push_back(std::move(*event));
        }
    }
    if (read_buffer_.capacity() > kept_buffer_bytes) {
        std::string().swap(read_buffer_);
    }
    out.next = std::max(from, log_.next);
    out.at_end = true;
    return out;
}

std::optional<mark_kind> store::end_of(sequence number) const {
    const auto after = log_.segments.upper_bound(number);
    if (after != log_.segments.begin()) {
        const segment& one = *std::prev(after)->second;
        if (one.holds(number)) {
            return spool::end_of(one.state(number));
        }
    }
    return log_.identities.end_of(number);
}

// The disk's trouble may pass; but one bad sector must not hold up a lane for ever.
bool store::may_pass(sequence number) {
    constexpr std::chrono::seconds patience(10);
    const steady_time now = clock_.steady();
    if (unreadable_ != number) {
        unreadable_ = number;
        unreadable_since_ = now;
    }
    return now - unreadable_since_ < patience;
}

void store::maintain() {
    const steady_time now = clock_.steady();
    if (marks_unsynced_since_ && now - *marks_unsynced_since_ >= std::chrono::seconds(1)) {
        (void)sync_marks();
    }
    if (tail_dirty_ && now - tail_dirty_since_ >= std::chrono::seconds(1)) {
        sync_tail();
    }
    if (finished_some_) {
        retire_finished();
    }
    if (now >= next_upkeep_) {
        next_upkeep_ = now + std::chrono::seconds(1);
        cut_refused();
        forget_identities();
        if (status_.refusing == refusal::disk_full || status_.refusing == refusal::disk_error) {
            make_room();
            try_again();
        } else if (reserve_.bytes() > 2 * reserve_.size_for(reserve_wanted())) {
            reserve_.trim(reserve_wanted());
        }
        bound_dead_letters();
        retire_finished();
        compact_wanted_ = compact_wanted_ && compact_some();
        if (status_.refusing == refusal::none && dirty_.empty() && !retire_later_) {
            said_.clear();
        }
    }
    publish();
}

std::optional<steady_time> store::due() const {
    std::optional<steady_time> when;
    const auto want = [&when](steady_time then) { when = when ? std::min(*when, then) : then; };
    if (finished_some_) {
        want(clock_.steady());
    }
    if (marks_unsynced_since_) {
        want(*marks_unsynced_since_ + std::chrono::seconds(1));
    }
    if (tail_dirty_) {
        want(tail_dirty_since_ + std::chrono::seconds(1));
    }
    if (counts_[static_cast<std::size_t>(event_state::dead)] > 0) {
        want(std::max(dead_look_at_, next_upkeep_));
    }
    const bool cuts =
        std::ranges::any_of(log_.segments, [](const auto& each) { return each.second->needs_cut; });
    if (status_.refusing != refusal::none || cuts || !log_.identity_files.empty() ||
        !log_.totals.leaving.empty() || !log_.superseded.empty() || retire_later_ || compact_wanted_) {
        want(next_upkeep_);
    }
    return when;
}

void store::close() {
    (void)sync_marks();
    if (active_ != nullptr && active_->numbers() > 0) {
        std::string frame;
        encode_frame(frame, frame_type::closed, log_.next, {}, log_.salt);
        if (tail_.write(frame, 0) && tail_.sync()) {
            active_->end = tail_.end();
            tail_dirty_ = false;
        }
    }
    if (tail_.is_open()) {
        tail_.seal();
    }
    active_ = nullptr;
    lock_.reset();
}

void store::note(std::string finding) {
    constexpr std::size_t most = 100; // between two looks; the rest says nothing new
    if (findings_.size() < most) {
        findings_.push_back(std::move(finding));
    }
}

// Trouble that lasts is tried again every second, and said once.
void store::note_once(const std::string& finding) {
    constexpr std::size_t most = 100;
    if (said_.size() < most && said_.insert(finding).second) {
        note(finding);
    }
}

std::vector<std::string> store::take_findings() {
    return std::exchange(findings_, {});
}

ledger store::count() const {
    const auto of = [this](event_state state) { return counts_[static_cast<std::size_t>(state)]; };
    ledger out;
    out.delivered = gone_.delivered + of(event_state::delivered);
    out.handed_off = gone_.handed_off + of(event_state::handed_off);
    out.dead = of(event_state::dead);
    out.dropped = gone_.dropped + of(event_state::dropped);
    out.lost = gone_.lost + of(event_state::lost);
    out.pending = of(event_state::pending) + of(event_state::sending);
    out.accepted = gone_.accepted;
    for (std::size_t state = 1; state < event_states; ++state) {
        out.accepted += counts_[state];
    }
    return out;
}

void store::publish() {
    status_.events = count();
    status_.pending_by_lane = lane_pending_;
    status_.bytes = bytes();
    status_.limit_bytes = options_.max_bytes;
    status_.next = log_.next;
    if (status_.refusing == refusal::queue_full &&
        bytes_with_reserve() + refused_bytes_ <= options_.max_bytes) {
        status_.refusing = refusal::none;
        status_.detail.clear();
    }
    look_for_room();
    update_oldest();
}

void store::update_oldest() {
    for (auto each = log_.segments.begin(); each != log_.segments.end(); ++each) {
        segment& one = *each->second;
        if (one.pending() == 0) {
            continue;
        }
        const auto number = one.next_pending(-1, oldest_hint_);
        if (!number) {
            continue;
        }
        oldest_hint_ = *number;
        if (*number == oldest_number_) {
            return;
        }
        if (const auto known = log_.identities.accepted_at(*number)) {
            status_.oldest_pending = *known;
            oldest_number_ = *number;
            return;
        }
        const auto file = readers_.get(options_.directory + "/" + segment_name(one.first()));
        if (!file) {
            return;
        }
        frame_reader reader(**file, one.offset_before(*number), one.end, log_.salt, read_buffer_, 4096);
        if (const auto found = reader.find(*number)) {
            status_.oldest_pending = decode_event_head(found->frame).accepted_at;
            oldest_number_ = *number;
        }
        return;
    }
    status_.oldest_pending = {};
    oldest_number_ = 0;
}

} // namespace linkrunner::spool
