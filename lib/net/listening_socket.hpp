// Makes listening sockets: addresses parsed, bound, guarded, listened on. Room-internal.
#pragma once

#include "base/error.hpp"
#include "net/server.hpp"

#include <string>
#include <sys/socket.h>

namespace linkrunner::net {

// The descriptor (non-blocking, close-on-exec) is the caller's. Errors name the address and what to do.
result<int> open_listening_socket(const listen_address& options);

// The path of a Unix socket's file; "" for abstract and TCP sockets.
std::string file_of(const listen_address& options);

// An address as a client would write it: "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:@name".
std::string text_of(const sockaddr_storage& address, socklen_t length);

bool is_loopback(const sockaddr_storage& address);

} // namespace linkrunner::net
