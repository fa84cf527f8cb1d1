// What the service manager hears while the daemon runs: the watchdog is fed from a timer of the loop, so that
// a loop that hangs is noticed, and a disk that hangs, which the loop never waits for, is not mistaken for
// one; and the status line whenever it has changed. Lives on the loop's thread.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"
#include "net/notify.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace linkrunner::daemon {

class service_reports {
  public:
    using interval = std::optional<std::chrono::microseconds>;

    // All of it outlives the reports. `watchdog`: net::watchdog_interval(); nothing: it is not fed.
    service_reports(const net::notifier& manager, loop& owner, const clock& time, interval watchdog)
        : manager_(manager), loop_(owner), clock_(time), watchdog_(watchdog) {}

    void start() { feed(); }

    // To be called at most once a second.
    void status(std::string line);

  private:
    void feed();

    const net::notifier& manager_;
    loop& loop_;
    const clock& clock_;
    const interval watchdog_;
    std::string told_;
};

} // namespace linkrunner::daemon
