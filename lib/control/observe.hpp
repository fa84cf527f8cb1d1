// The read-only endpoints for people and monitoring: the live page at /, /healthz, /readyz, /metrics, /status
// and /history.json. Lives on the loop's thread. What it shows comes through ports wired in daemon/; nothing
// here changes state.
#pragma once

#include "net/message.hpp"

#include <functional>
#include <optional>
#include <string>

namespace linkrunner::control {

struct observe_ports {
    std::function<std::optional<std::string>()>
        not_ready;                        // why events are refused; nothing when they are accepted
    std::function<std::string()> metrics; // Prometheus text
    std::function<std::string()> status;  // JSON
    std::function<std::string()> history; // JSON
};

class observe final : public net::request_handler {
  public:
    explicit observe(observe_ports with) : ports_(std::move(with)) {}

    std::optional<net::response> refuse_early(net::request& head) override;
    void handle(net::request& whole, net::responder answer) override;
    net::response protocol_error(int status, std::string_view code, std::string_view message) override;

  private:
    observe_ports ports_;
};

} // namespace linkrunner::control
