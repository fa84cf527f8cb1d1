// From the checked configuration to the settings of each room.
#pragma once

#include "config/settings.hpp"
#include "forward/forwarder.hpp"
#include "intake/settings.hpp"
#include "net/activation.hpp"
#include "net/client.hpp"
#include "net/server.hpp"
#include "spool/queue.hpp"
#include "telemetry/log.hpp"

#include <vector>

namespace linkrunner::daemon {

spool::settings spool_settings(const config::settings& all);
event::policy event_policy(const config::settings& all);
// What an event is parsed with under these settings, without a spool's hash seed; `rules` must outlive it.
event::parse_options parse_options(const config::settings& all, const event::policy& rules);
std::vector<event::lane_rule> lane_rules(const config::settings& all);
intake::settings intake_settings(const config::settings& all);
// Sockets that were inherited take the place of the configured addresses, under the same guards: TLS, and who
// may use a Unix socket.
using inherited_list = std::vector<net::inherited_socket>;
net::server_settings intake_server_settings(const config::settings& all, const inherited_list& inherited);
net::server_settings observe_server_settings(const config::settings& all, const inherited_list& inherited);
net::server_settings control_server_settings(const config::settings& all, const inherited_list& inherited);
net::client_settings upstream_settings(const config::settings& all);
forward::settings forward_settings(const config::settings& all);
net::client_settings handoff_client_settings(const config::settings& all); // shutdown.handoff
forward::settings handoff_settings(const config::settings& all);
log::settings log_settings(const config::settings& all);

} // namespace linkrunner::daemon
