// Appending: a group of jobs becomes one write and one fdatasync, or is refused.
#include "spool/file_names.hpp"
#include "spool/frame.hpp"
#include "spool/recovery.hpp"
#include "spool/store.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

namespace {

constexpr std::chrono::seconds probe_interval(1);
constexpr std::size_t kept_group_bytes = 4 << 20;
constexpr std::size_t expected_ahead = 16; // identities whose places are fetched into the cache early

double seconds_between(steady_time from, steady_time to) {
    return std::chrono::duration<double>(to - from).count();
}

} // namespace

void store::append_group(std::span<append_job> jobs) {
    group_.clear();
    planned_.clear();
    for (const append_job& job : jobs) { // of a batch, the others while those before them are planned
        for (std::size_t i = 0; i < std::min(job.events.size(), expected_ahead); ++i) {
            log_.identities.expect(job.events[i].identity);
        }
    }
    const wall_time now = clock_.wall();
    surely_free_ = surely_free();
    room_needed_ = 0;
    for (append_job& job : jobs) {
        plan(job, now);
    }
    if (planned_.empty()) {
        return;
    }
    if (auto written = write_group(); !written) {
        refuse_group(jobs, written.error());
        return;
    }
    count_group();
    if (group_.capacity() > kept_group_bytes) {
        std::string().swap(group_);
    }
}

void store::plan(append_job& job, wall_time now) {
    const std::size_t planned_before = planned_.size();
    const std::size_t bytes_before = group_.size();
    std::vector<appended> outcomes;
    outcomes.reserve(job.events.size());
    for (const new_event& event : job.events) {
        if (outcomes.size() + expected_ahead < job.events.size()) {
            log_.identities.expect(job.events[outcomes.size() + expected_ahead].identity);
        }
        outcomes.push_back(plan_one(event, now));
        if (outcomes.back().number == 0) {
            take_back(planned_before, bytes_before);
            job.outcome = make_error(std::errc::message_size, "the event does not fit into the spool");
            return;
        }
        if (planned_.size() > planned_before && !may_write()) {
            take_back(planned_before, bytes_before);
            job.outcome = refusal_error(status_.refusing, status_.detail);
            return;
        }
    }
    const bool adds = planned_.size() > planned_before;
    if (adds && (room_needed_ > 0 || !fits(group_.size()))) { // one that waits is not overtaken
        refused_bytes_ = group_.size() - bytes_before;
        take_back(planned_before, bytes_before);
        if (waits_for_room(job, refused_bytes_)) {
            job.waits = true;
            return;
        }
        refuse(refusal::queue_full, "the spool holds its limit of " + std::to_string(options_.max_bytes) +
                                        " bytes (spool.max_bytes)");
        job.outcome = refusal_error(status_.refusing, status_.detail);
        return;
    }
    job.outcome = std::move(outcomes);
}

appended store::plan_one(const new_event& event, wall_time now) {
    if (frame_bytes(event) > max_frame_bytes || event.lane >= max_lanes) {
        return {append_outcome::stored, 0};
    }
    if (log_.identities.enabled()) {
        const auto known = log_.identities.find(event.identity, event.body_hash, now);
        if (known && !(event.relayed && was_handed_off(known->number))) {
            return {known->same_body ? append_outcome::duplicate : append_outcome::conflict, known->number};
        }
    }
    const sequence number = log_.next + planned_.size();
    log_.identities.add(identity_index::make(event.identity, event.body_hash, number, event.accepted_at),
                        number);
    planned_.push_back({number, group_.size(), event.lane});
    encode_event(group_, event, number, static_cast<std::uint32_t>(planned_.size() - 1), log_.salt);
    return {append_outcome::stored, number};
}

bool store::was_handed_off(sequence number) const {
    return number < log_.next && end_of(number) == mark_kind::handed_off;
}

void store::take_back(std::size_t planned_before, std::size_t bytes_before) {
    log_.identities.forget_from(log_.next + planned_before);
    planned_.resize(planned_before);
    group_.resize(bytes_before);
}

bool store::may_write() const {
    const bool failing = status_.refusing == refusal::disk_full || status_.refusing == refusal::disk_error;
    return !failing || clock_.steady() >= probe_at_;
}

// How large a group may be, with its share of the reserve, so that it fits without a closer look.
std::uint64_t store::surely_free() const {
    const std::uint64_t taken =
        bytes_with_reserve() + header_area_bytes + 2 * marks_ahead_bytes(options_); // the reserve's steps
    return taken < options_.max_bytes ? options_.max_bytes - taken : 0;
}

bool store::fits(std::size_t group_bytes) {
    if (group_bytes + reserve_per_event_bytes * planned_.size() <= surely_free_) {
        return true;
    }
    const auto over = [&] {
        const bool rolls = active_ == nullptr || tail_.end() + group_bytes > options_.segment_bytes;
        const std::uint64_t growth = rolls ? header_area_bytes + group_bytes : tail_.growth(group_bytes);
        return bytes_with_reserve() + growth > options_.max_bytes;
    };
    if (!over()) {
        return true;
    }
    reserve_.trim(reserve_wanted());
    if (!over()) {
        return true;
    }
    // A segment that is done with, though not full, can go.
    if (active_ != nullptr && active_->numbers() > 0 && active_->finished()) {
        seal_tail();
        retire_finished();
        surely_free_ = 0; // not known any more
        return !over();
    }
    return false;
}

result<void> store::write_group() {
    auto ready = reserve_.ensure(reserve_wanted());
    if (ready) {
        ready = ensure_tail(group_.size());
    }
    if (!ready) {
        refuse(refusal_for(ready.error()), ready.error().message);
        return refusal_error(status_.refusing, status_.detail);
    }
    const std::uint64_t start = tail_.end();
    const std::uint64_t used = bytes();
    const std::uint64_t room = used < options_.max_bytes ? options_.max_bytes - used : 0;
    auto done = tail_.write(group_, tail_.file_bytes() + room);
    const bool torn = !done && !tail_.is_open();
    bool unknown = torn;
    if (done && options_.sync == sync_policy::always) {
        const steady_time before = clock_.steady();
        done = tail_.sync();
        sync_seconds_ = seconds_between(before, clock_.steady());
        unknown = !done;
    } else if (done && options_.sync == sync_policy::interval && !std::exchange(tail_dirty_, true)) {
        tail_dirty_since_ = clock_.steady();
    }
    if (done) {
        for (planned& each : planned_) {
            each.offset += start;
        }
        ++status_.commits;
        return {};
    }
    tail_failed();
    refuse(unknown ? refusal::disk_error : refusal_for(done.error()), done.error().message);
    return refusal_error(status_.refusing,
                         unknown ? status_.detail + ". It is not known whether the events were stored: send "
                                                    "them again with the same event_id"
                                 : status_.detail);
}

void store::count_group() {
    for (const planned& each : planned_) {
        active_->add(each.number, each.lane, each.offset);
        ++counts_[static_cast<std::size_t>(event_state::pending)];
        ++lane_pending_[each.lane];
        lanes_stored_ |= 1u << each.lane;
    }
    log_.next += planned_.size();
    active_->end = tail_.end();
    active_->file_bytes = tail_.file_bytes();
    if (status_.refusing == refusal::disk_full || status_.refusing == refusal::disk_error) {
        note("the spool takes events again");
        status_.refusing = refusal::none;
        status_.detail.clear();
    }
}

void store::refuse_group(std::span<append_job> jobs, const error& why) {
    log_.identities.forget_from(log_.next);
    for (append_job& job : jobs) {
        // A repeat of an event of this group shares its fate.
        const bool of_group = job.outcome && std::ranges::any_of(*job.outcome, [this](const appended& each) {
                                  return each.number >= log_.next;
                              });
        if (of_group) {
            job.outcome = why;
        }
    }
    planned_.clear();
}

result<void> store::ensure_tail(std::size_t group_bytes) {
    if (active_ != nullptr && active_->numbers() > 0 && tail_.end() + group_bytes > options_.segment_bytes) {
        seal_tail();
    }
    if (active_ != nullptr) {
        return {};
    }
    return begin_segment();
}

result<void> store::begin_segment() {
    segment_header header;
    header.first = log_.next;
    header.hash_seed = log_.hash_seed;
    header.id = random_.next();
    header.created_at = clock_.wall();
    make_way(header_area_bytes + segment_ahead_bytes(options_));
    if (auto begun = tail_.begin(header, log_.totals); !begun) {
        return begun;
    }
    readers_.forget(options_.directory + "/" + segment_name(header.first));
    auto made =
        std::make_unique<segment>(header,
                                  mark_log(disk_, options_.directory, header.first,
                                           {header.id, header.hash_seed}, marks_ahead_bytes(options_)),
                                  options_.last_lane);
    active_ = made.get();
    active_->file_bytes = tail_.file_bytes();
    // What had this name held no event: an abandoned beginning, or nothing but a header.
    log_.segments.insert_or_assign(header.first, std::move(made));
    return {};
}

void store::seal_tail() {
    if (tail_dirty_) {
        sync_tail();
    }
    if (active_ == nullptr) {
        return;
    }
    tail_.seal();
    active_->file_bytes = tail_.file_bytes();
    active_->sealed = true;
    active_->reserve_exact();
    finished_some_ = finished_some_ || active_->finished();
    active_ = nullptr;
}

// sync: interval. The events were answered already: when this fails they may be gone after a crash.
void store::sync_tail() {
    tail_dirty_ = false;
    if (active_ == nullptr) {
        return;
    }
    if (auto synced = tail_.sync(); !synced) {
        note(synced.error().message + ". Events answered within the last second may be lost in a crash");
        tail_failed();
        if (active_ == nullptr) {
            log_.segments.rbegin()->second->needs_cut = false; // they were accepted: they stay
        }
        refuse(refusal::disk_error, synced.error().message);
    }
}

// After a failure of the tail: when the file was given up, its segment takes nothing more.
void store::tail_failed() {
    if (active_ == nullptr || tail_.is_open()) {
        return;
    }
    active_->file_bytes = tail_.file_bytes();
    active_->sealed = true;
    active_->needs_cut = true;
    finished_some_ = finished_some_ || active_->finished();
    active_ = nullptr;
}

void store::refuse(refusal why, std::string detail) {
    if (status_.refusing != why) {
        note("the spool refuses events: " + std::string(word_for(why)) + ": " + detail);
    }
    status_.refusing = why;
    status_.detail = std::move(detail);
    probe_at_ = clock_.steady() + probe_interval;
}

// Takes up writing, at start and after a failure.
void store::try_again() {
    auto done = reserve_.ensure(reserve_wanted());
    if (done && active_ == nullptr) {
        done = begin_segment();
    }
    if (done) {
        done = tail_.probe();
        tail_failed();
    }
    if (!done) {
        refuse(refusal_for(done.error()), done.error().message);
    } else if (status_.refusing == refusal::disk_full || status_.refusing == refusal::disk_error) {
        note("the spool takes events again");
        status_.refusing = refusal::none;
        status_.detail.clear();
    }
    if (active_ != nullptr) {
        active_->file_bytes = tail_.file_bytes();
    }
}

} // namespace linkrunner::spool
