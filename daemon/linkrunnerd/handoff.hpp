// The end of a stop with shutdown.handoff: what still waits is handed to another linkrunnerd, many events
// with each request, as upstream.kind: forwarder does all the time. What was not taken over in time stays in
// the spool, and the log says so. Lives on the loop's thread; made once, when delivery has ended.
#pragma once

#include "config/settings.hpp"
#include "forward/forwarder.hpp"
#include "net/asio_loop.hpp"
#include "net/client.hpp"

#include <functional>
#include <memory>

namespace linkrunner::daemon {

class handoff {
  public:
    // `with` names the parts that it works with, but for the upstream, which it makes itself. `done` is
    // called once, unless it is stopped before.
    handoff(const config::settings& all, net::asio_loop& owner, forward::ports with,
            std::function<void()> done);
    ~handoff();

    // Waits for the marks of what was delivered last, and begins.
    void start();

    // No request begins any more, those under way are cut. Idempotent.
    void stop();

  private:
    void when_recorded(std::function<void()> next);
    void begin();
    void end();
    void tell(std::uint64_t left) const;
    void tell_of_dead_letters() const;

    const config::settings& settings_;
    net::asio_loop& loop_;
    forward::ports ports_;
    std::function<void()> done_;
    std::unique_ptr<net::client> peer_;
    std::unique_ptr<forward::forwarder> forwarder_;
    loop::timer_id timer_ = 0;
    steady_time began_{};
    std::uint64_t pending_before_ = 0;
};

} // namespace linkrunner::daemon
