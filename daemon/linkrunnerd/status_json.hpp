// The document behind /status; docs/status.md and config/status.schema.json describe it, and change with it.
#pragma once

#include "config/settings.hpp"
#include "control/history.hpp"
#include "forward/forwarder.hpp"
#include "reload.hpp"
#include "spool/queue.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace linkrunner::daemon {

struct status_facts {
    const config::settings& configuration;
    const spool::status& spool;
    const forward::forwarder& forwarder;
    const telemetry::metrics& metrics;
    const control::history& history;
    const configuration_state& loaded;
    std::optional<std::string> not_ready;
    std::chrono::seconds uptime;
    wall_time now;
    steady_time steady_now;
    std::size_t intake_connections;
    std::size_t upstream_connections;
};

std::string status_json(const status_facts& facts);

} // namespace linkrunner::daemon
