// The addresses a client is given: the upstream's URL and the proxy's. Room-internal.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace linkrunner::net {

struct upstream_url {
    bool secure = false;
    std::string host; // an IPv6 address without brackets
    std::uint16_t port = 80;
    std::string base_path; // without a slash at its end
    std::string user_info; // "user:password", decoded; of proxies only

    std::string authority() const;    // for Host: without the scheme's own port
    std::string connect_name() const; // for CONNECT: always with the port
};

// http:// or https://host[:port][/base path]; no user, query or fragment.
result<upstream_url> parse_upstream_url(std::string_view text);

// http://[user:password@]host[:port] (port 80 where absent, as curl's is 1080 for SOCKS only).
result<upstream_url> parse_proxy_url(std::string_view text);

std::string base64(std::string_view bytes); // RFC 4648 section 4

} // namespace linkrunner::net
