// "host:port" and "[IPv6 address]:port" (RFC 3986 section 3.2.2). Room-internal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::net {

struct host_port {
    std::string host; // an IPv6 address without its brackets
    std::uint16_t port = 0;
};

std::optional<host_port> split_host_port(std::string_view text);

// The inverse: an IPv6 address gets its brackets.
std::string join_host_port(const std::string& host, std::uint16_t port);

} // namespace linkrunner::net
