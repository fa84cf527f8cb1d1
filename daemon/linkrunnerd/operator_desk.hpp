// What operators see of the running daemon, and what they change: the port behind the control socket, wired
// to the parts. Lives on the loop's thread.
#pragma once

#include "config/load.hpp"
#include "control/journal.hpp"
#include "control/steering.hpp"
#include "env/clock.hpp"
#include "forward/forwarder.hpp"
#include "intake/service.hpp"
#include "recent_sums.hpp"
#include "secret_watch.hpp"
#include "spool/queue.hpp"

#include <functional>
#include <string>
#include <vector>

namespace linkrunner::daemon {

// All of it outlives the desk.
struct desk_parts {
    const config::settings& settings;
    const clock& time;
    spool::queue& queue;
    forward::forwarder& forwarder;
    intake::service& intake;
    const secret_watch& key;
    const recent_sums& recent;
    const control::journal& stories;
    std::function<std::string()> status;                 // the document of /status
    std::function<std::vector<std::string>()> listeners; // of the intake
    std::function<void()> reload;                        // as SIGHUP
};

class operator_desk final : public control::steering {
  public:
    explicit operator_desk(desk_parts with) : parts_(std::move(with)) {}

    // The process stops: from now on resume takes no events again.
    void begin_stopping() { stopping_ = true; }

    std::string status() const override;
    void pause(bool paused) override { parts_.forwarder.pause(paused); }
    bool paused() const override { return parts_.forwarder.paused(); }
    void drain(bool draining) override;
    bool draining() const override { return draining_; }
    std::uint64_t pending() const override { return parts_.queue.status().events.pending; }
    void limit_rate(std::optional<double> per_second) override { parts_.forwarder.limit_rate(per_second); }
    control::rate_view rate() const override;
    std::string waits_for(std::uint64_t number, std::uint8_t lane,
                          std::optional<wall_time> next_attempt) const override;
    result<std::string> reload() override;

  private:
    desk_parts parts_;
    bool draining_ = false;
    bool stopping_ = false;
};

} // namespace linkrunner::daemon
