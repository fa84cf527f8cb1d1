// Reads the configuration anew and takes it over while everything runs: whole, or not at all. Runs on the
// loop's thread and blocks it for as long as the files take to read.
#pragma once

#include "config/changes.hpp"
#include "config/load.hpp"
#include "forward/forwarder.hpp"
#include "inherited.hpp"
#include "intake/service.hpp"
#include "net/asio_loop.hpp"
#include "net/server.hpp"
#include "secret_watch.hpp"
#include "telemetry/metrics.hpp"
#include "upstream_switch.hpp"

#include <string>
#include <vector>

namespace linkrunner::daemon {

struct reload_outcome {
    std::vector<config::problem> problems; // not empty: nothing was changed
    std::vector<config::change> changes;   // those that wait for a restart among them
    std::vector<std::string> notes;        // worth a warning
};

// How the configuration stands, for /status.
struct configuration_state {
    wall_time loaded_at{};                 // the one in force
    std::vector<config::problem> problems; // of the last reload; empty: it succeeded
    std::vector<std::string> restart_needed;

    void note(const reload_outcome& outcome, wall_time now);
};

// What takes over new settings.
struct reload_parts {
    net::asio_loop& owner;
    net::server& intake_server;
    net::server& observe_server;
    intake::service& intake;
    forward::forwarder& forwarder;
    upstream_switch& upstream;
    secret_watch& key;
    secret_watch& token;
    telemetry::metrics& metrics;
    const inherited_sockets& inherited;
};

// Nothing that can fail comes after the first thing that changes: the file is checked, addresses that are new
// are opened and certificates read before.
reload_outcome reload(const config::sources& from, config::loaded& in_force, const reload_parts& parts);

// Each change, and what became of it, as lines of the log.
void log_outcome(const reload_outcome& outcome);

} // namespace linkrunner::daemon
