// Tells the service manager how the daemon is doing: one datagram to $NOTIFY_SOCKET, as sd_notify(3)
// documents the protocol. Thread-safe; does nothing when no manager listens, and never blocks.
#pragma once

#include <string_view>

namespace linkrunner::net {

// `state` holds lines such as "READY=1", "STOPPING=1", "STATUS=...", "WATCHDOG=1".
void notify(std::string_view state) noexcept;

} // namespace linkrunner::net
