// The loop's side of the queue: what is waited for, and what is known of the spool. Loop's thread only.
#pragma once

#include "spool/round.hpp"
#include "spool/watched_disk.hpp"

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

namespace linkrunner::spool {

class front : public std::enable_shared_from_this<front> {
  public:
    front(loop& owner, const clock& time, const watched_disk& files,
          std::function<void(double)> commit_seconds)
        : loop_(owner), clock_(time), disk_(files), commit_seconds_(std::move(commit_seconds)) {}

    // A round has come back.
    void take(round& done);

    // A request is on its way to the disk thread: as long as one is, a stuck disk is noticed.
    void expect();

    watch_id add_watch(sequence number, std::function<void(mark_kind)> ended);
    void remove_watch(watch_id id);
    void close();

    const spool::status& status() const noexcept { return status_; }
    void set_status(const spool::status& known) { status_ = known; }
    bool stalled() const noexcept { return stalled_; }

    std::uint64_t uncommitted_bytes = 0;
    std::function<void(std::uint32_t)> stored;
    std::function<void(const std::string&)> finding;
    queue::sender sender;
    std::function<void(drop_job)> drop; // sends the job to the disk thread

  private:
    struct watcher {
        sequence number = 0;
        std::function<void(mark_kind)> ended;
    };

    void answer(round& done);
    void make_room(const round& done);
    void tell_ends(sequence number, mark_kind how);
    void fire(watch_id id, mark_kind how);
    void arm();
    void look_for_stall();

    loop& loop_;
    const clock& clock_;
    const watched_disk& disk_;
    std::function<void(double)> commit_seconds_;
    spool::status status_;
    std::map<watch_id, watcher> watchers_;
    std::unordered_multimap<sequence, watch_id> by_number_;
    watch_id last_watch_ = 0;
    std::size_t expected_ = 0; // requests that are not back yet
    loop::timer_id timer_ = 0;
    std::optional<number_range> asked_; // for room_wanted
    bool stalled_ = false;
    bool closed_ = false;
};

} // namespace linkrunner::spool
