// The proxy that the environment names for an URL, as curl and Go understand HTTPS_PROXY and NO_PROXY
// (https://curl.se/docs/manpage.html, golang.org/x/net/http/httpproxy).
#pragma once

#include "config/expand.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::config {

struct proxy_choice {
    std::string url;
    std::string variable; // that named it
};

// Nothing for http:// URLs, for loopback hosts, and for hosts that NO_PROXY names.
std::optional<proxy_choice> proxy_from_environment(const std::string& url, const lookup& environment);

// `list` is the value of NO_PROXY: names (with their subdomains), addresses, networks (10.0.0.0/8), each
// with :port if wanted, or * for all.
bool is_exempt(std::string_view list, std::string_view host, std::string_view port);

} // namespace linkrunner::config
