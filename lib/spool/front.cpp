#include "spool/front.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

namespace {
constexpr std::chrono::seconds stall_limit(5);
constexpr std::chrono::seconds stall_check(1);
} // namespace

void front::take(round& done) {
    expected_ -= std::min(expected_, done.requests());
    stalled_ = false;
    status_ = done.status;
    for (const auto& [callback, bytes] : done.appended) {
        uncommitted_bytes -= bytes;
    }
    if (commit_seconds_ && done.sync_seconds && !closed_) {
        commit_seconds_(*done.sync_seconds);
    }
    answer(done);
    if (stored && done.lanes_stored != 0 && !closed_) {
        stored(done.lanes_stored);
    }
    make_room(done);
    if (finding && !closed_) {
        for (const std::string& each : done.findings) {
            finding(each);
        }
    }
}

void front::answer(round& done) {
    for (std::size_t index = 0; index < done.appends.size(); ++index) {
        done.appended[index].first(done.appends[index].outcome);
    }
    for (std::size_t index = 0; index < done.marks.size(); ++index) {
        if (done.marked[index]) {
            done.marked[index](done.marks[index].outcome);
        }
        if (watchers_.empty()) {
            continue;
        }
        for (const mark& each : done.marks[index].marks) {
            if (each.kind != mark_kind::sending && each.kind != mark_kind::replayed) {
                tell_ends(each.number, each.kind);
            }
        }
    }
    for (const lookup_job& each : done.lookups) {
        if (each.ended) {
            fire(each.watch, *each.ended);
        }
    }
    for (const drop_job& each : done.drops) {
        asked_.reset(); // the same range may be wanted again, for what had to stay
        if (sender.dropped && !closed_) {
            sender.dropped(each.range.first, each.range.last, each.dropped);
        }
        for (std::size_t index = 0; index < each.dropped.size() && !watchers_.empty(); ++index) {
            tell_ends(each.dropped[index], mark_kind::dropped);
        }
    }
    for (read_job& each : done.reads) {
        each.done(std::move(each.outcome));
    }
    for (const disk_task& each : done.tasks) {
        each.done({});
    }
}

// Once for each range: the answer to it is the drop job.
void front::make_room(const round& done) {
    if (!done.room_wanted) {
        asked_.reset();
    } else if (sender.in_flight && !closed_ && asked_ != done.room_wanted) {
        asked_ = done.room_wanted;
        drop({*asked_, sender.in_flight(asked_->first, asked_->last), {}});
    }
}

watch_id front::add_watch(sequence number, std::function<void(mark_kind)> ended) {
    watchers_.emplace(++last_watch_, watcher{number, std::move(ended)});
    by_number_.emplace(number, last_watch_);
    return last_watch_;
}

void front::remove_watch(watch_id id) {
    const auto found = watchers_.find(id);
    if (found == watchers_.end()) {
        return;
    }
    auto [each, end] = by_number_.equal_range(found->second.number);
    while (each != end) {
        each = each->second == id ? by_number_.erase(each) : std::next(each);
    }
    watchers_.erase(found);
}

void front::tell_ends(sequence number, mark_kind how) {
    for (auto each = by_number_.find(number); each != by_number_.end(); each = by_number_.find(number)) {
        fire(each->second, how);
    }
}

void front::fire(watch_id id, mark_kind how) {
    const auto found = watchers_.find(id);
    if (found == watchers_.end()) {
        return;
    }
    const auto ended = std::move(found->second.ended);
    remove_watch(id);
    ended(how);
}

void front::close() {
    closed_ = true;
    watchers_.clear();
    by_number_.clear();
    if (timer_ != 0) {
        loop_.cancel(timer_);
        timer_ = 0;
    }
}

void front::expect() {
    ++expected_;
    arm();
}

void front::arm() {
    if (timer_ == 0 && !closed_) {
        timer_ = loop_.call_at(clock_.steady() + stall_check, [self = shared_from_this()] {
            self->timer_ = 0;
            self->look_for_stall();
        });
    }
}

void front::look_for_stall() {
    if (closed_ || expected_ == 0) {
        return;
    }
    const auto busy = disk_.busy_for();
    if (busy > stall_limit && !std::exchange(stalled_, true)) {
        status_.refusing = refusal::disk_stalled;
        status_.detail = "a call of the disk has not returned for " +
                         std::to_string(std::chrono::floor<std::chrono::seconds>(busy).count()) + " seconds";
        if (finding) {
            finding("the spool refuses events: disk_stalled: " + status_.detail);
        }
    }
    arm();
}

} // namespace linkrunner::spool
