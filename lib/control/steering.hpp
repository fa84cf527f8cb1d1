// What an operator asks of the daemon as a whole, as a port wired in daemon/, and the requests that use it.
// Lives on the loop's thread.
#pragma once

#include "base/error.hpp"
#include "env/clock.hpp"
#include "net/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::control {

struct rate_view {
    double in_force = 0;              // per second
    std::optional<double> configured; // nothing: auto
    std::optional<double> temporary;  // by an operator, until a restart
};

class steering {
  public:
    virtual ~steering() = default;

    virtual std::string status() const = 0; // everything at a glance, JSON

    // Nothing is sent any more, or again. Until a restart.
    virtual void pause(bool paused) = 0;
    virtual bool paused() const = 0;

    // No new events are taken, what waits is delivered; or events are taken again. Until a restart.
    virtual void drain(bool draining) = 0;
    virtual bool draining() const = 0;
    virtual std::uint64_t pending() const = 0;

    virtual void limit_rate(std::optional<double> per_second) = 0; // nothing: as configured
    virtual rate_view rate() const = 0;

    // What an event that waits is waiting for, in words; `next_attempt` where one is set.
    virtual std::string waits_for(std::uint64_t number, std::uint8_t lane,
                                  std::optional<wall_time> next_attempt) const = 0;

    // As SIGHUP. What was done, as the members of a JSON object; an error: nothing was changed.
    virtual result<std::string> reload() = 0;
};

// Answers GET /v1/status, /v1/rate and POST /v1/pause, /v1/resume, /v1/drain, /v1/rate, /v1/reload. Each
// change is written to the log, with who asked for it. False: it is none of these.
bool steer(steering& with, net::request& whole, const net::responder& answer);

} // namespace linkrunner::control
