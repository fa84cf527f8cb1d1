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
#include <string_view>
#include <vector>

namespace linkrunner::intake {

// The word for how an event ended: "delivered", "dead", "dropped", "handed_off".
std::string_view word_for_end(spool::mark_kind how);

class waiters {
  public:
    // One entry for each event asked about; nothing where its end is not known yet.
    using ends = std::vector<std::optional<spool::mark_kind>>;

    waiters(spool::queue& queue, loop& owner, const clock& time, std::size_t limit);
    ~waiters();

    // False, and nothing happens, when that many more would pass the limit. Those of whom `cares` says that
    // they may have gone are answered first, with what is known, to make room. Else `done` is called once.
    bool wait(std::vector<spool::sequence> numbers, std::chrono::milliseconds timeout,
              std::function<bool()> cares, std::function<void(const ends&)> done);

    void set_limit(std::size_t limit) { limit_ = limit; }

    // Everybody is answered now, with what is known.
    void release_all();

  private:
    struct waiter;

    void ended(std::uint64_t id, std::size_t index, spool::mark_kind how);
    void finish(std::uint64_t id);
    void forget_the_gone();

    spool::queue& queue_;
    loop& loop_;
    const clock& clock_;
    std::size_t limit_;
    std::size_t watched_ = 0;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, std::unique_ptr<waiter>> waiting_;
};

} // namespace linkrunner::intake
