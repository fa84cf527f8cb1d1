// The event loop as a port: what runs on the network thread (the "strand" of the design) is posted here. The
// daemon's loop is Asio's (net/asio_loop.hpp), the simulation's jumps from timer to timer.
#pragma once

#include "env/clock.hpp"

#include <cstdint>
#include <functional>

namespace linkrunner {

class loop {
  public:
    using task = std::function<void()>;
    using timer_id = std::uint64_t; // never 0

    virtual ~loop() = default;

    // Runs `work` on the loop's thread, after the caller has returned. May be called from any thread.
    virtual void post(task work) = 0;

    // Runs `work` at `when` or soon after. Loop's thread only. The id is good until the task has run.
    virtual timer_id call_at(steady_time when, task work) = 0;

    // Forgets a timer; a timer that has run or is unknown is ignored. Loop's thread only.
    virtual void cancel(timer_id id) = 0;
};

} // namespace linkrunner
