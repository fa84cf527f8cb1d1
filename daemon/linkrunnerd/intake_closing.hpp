// How the intake ends at SIGTERM. Nobody takes over from listeners of the daemon's own: new events are
// refused as `draining`, and idle connections are closed. On sockets of the service manager a successor takes
// over, and no client may notice: new connections are taken and events accepted as long as the deliveries go
// on, only that every answer ends its connection; then whoever connects waits in the kernel for the
// successor, and connections get a moment's grace, since their next request may be on its way.
// Lives on the loop's thread.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"
#include "intake/service.hpp"
#include "net/server.hpp"

#include <chrono>
#include <functional>

namespace linkrunner::daemon {

class intake_closing {
  public:
    // All of it outlives the closing. `inherited`: the listeners are the service manager's.
    intake_closing(intake::service& intake, net::server& server, loop& owner, bool inherited)
        : intake_(intake), server_(server), loop_(owner), inherited_(inherited) {}

    // The time that it takes at most, however short shutdown.drain is.
    std::chrono::milliseconds needs() const { return inherited_ ? 2 * grace : std::chrono::milliseconds{}; }

    // `closed` is called once, when nobody is left to be answered. Deliveries end at the latest at `end`.
    void begin(steady_time now, steady_time end, std::function<void()> closed);
    void deliveries_ended();

  private:
    static constexpr std::chrono::milliseconds grace{1'000};
    void stop_if_time();

    intake::service& intake_;
    net::server& server_;
    loop& loop_;
    const bool inherited_;
    std::function<void()> closed_; // nothing once the server was told to stop
    bool grace_over_ = false;
    bool deliveries_ended_ = false;
};

} // namespace linkrunner::daemon
