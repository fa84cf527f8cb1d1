// Who asks for a change, for the log.
#pragma once

#include "net/message.hpp"
#include "telemetry/log.hpp"

#include <string_view>

namespace linkrunner::control {

// By the credentials of the connection to the control socket; -1 where they are not known.
class asker {
  public:
    explicit asker(const net::request& from) : who_(from.peer()) {}
    log::field pid() const { return {"pid", who_ ? who_->pid : -1}; }
    log::field uid() const { return {"uid", who_ ? static_cast<std::int64_t>(who_->uid) : -1}; }
    log::field gid() const { return {"gid", who_ ? static_cast<std::int64_t>(who_->gid) : -1}; }

  private:
    std::optional<net::peer_credentials> who_;
};

} // namespace linkrunner::control
