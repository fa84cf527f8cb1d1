// Callers of ?wait=delivered: each waits until its events have ended, or its time is up, or the daemon
// drains. Lives on the loop's thread. Bounded: beyond the limit nobody waits.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"
#include "spool/queue.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace linkrunner::intake {

class waiters {
  public:
    // One entry for each event asked about; nothing where its end is not known yet.
    using ends = std::vector<std::optional<spool::mark_kind>>;

    waiters(spool::queue& queue, loop& owner, const clock& time, std::size_t limit);
    ~waiters();

    // False, and nothing happens, when that many more would pass the limit. Else `done` is called once.
    bool wait(std::vector<spool::sequence> numbers, std::chrono::milliseconds timeout,
              std::function<void(const ends&)> done);

    // Everybody is answered now, with what is known.
    void release_all();

  private:
    struct waiter;

    void ended(std::uint64_t id, std::size_t index, spool::mark_kind how);
    void finish(std::uint64_t id);

    spool::queue& queue_;
    loop& loop_;
    const clock& clock_;
    std::size_t limit_;
    std::size_t watched_ = 0;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, std::unique_ptr<waiter>> waiting_;
};

} // namespace linkrunner::intake
