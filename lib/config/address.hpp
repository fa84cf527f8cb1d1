// Addresses to listen on: host:port, [IPv6]:port, unix:/path, unix:@name. Pure.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace linkrunner::config {

struct listen_on {
    bool is_unix = false;
    std::string host; // without brackets; or the path or @name
    std::uint16_t port = 0;
};

// Errors say what is wrong and how an address looks like.
result<listen_on> parse_listen(std::string_view text);

// A loopback address or name (RFC 6761 section 6.3): localhost, *.localhost, 127.0.0.0/8, ::1.
bool is_loopback(std::string_view host);

} // namespace linkrunner::config
