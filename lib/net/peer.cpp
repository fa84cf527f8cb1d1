#include "net/peer.hpp"

#include <sys/socket.h>

namespace linkrunner::net {

std::optional<peer_credentials> peer_of(int descriptor) {
    int family = 0;
    socklen_t length = sizeof family;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &length) != 0 || family != AF_UNIX) {
        return std::nullopt;
    }
    ucred who{};
    length = sizeof who;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0) {
        return std::nullopt;
    }
    return peer_credentials{who.pid, who.uid, who.gid};
}

} // namespace linkrunner::net
