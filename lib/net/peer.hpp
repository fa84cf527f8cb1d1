// Who is at the other end of a Unix socket. Room-internal.
#pragma once

#include "net/message.hpp"

#include <optional>

namespace linkrunner::net {

// SO_PEERCRED of unix(7): as it was when the connection was made. Nothing for other sockets.
std::optional<peer_credentials> peer_of(int descriptor);

} // namespace linkrunner::net
