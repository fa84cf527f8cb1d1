// What all connections of one client share: where to connect, what every request says. Room-internal.
#pragma once

#include "net/client.hpp"
#include "net/client_tls.hpp"
#include "net/name_lookup.hpp"
#include "net/upstream_url.hpp"

#include <memory>
#include <optional>
#include <string>

namespace linkrunner::net {

struct upstream {
    static result<std::unique_ptr<upstream>> make(asio_loop& owner, const client_settings& options);

    // Replace `out`.
    void write_head(std::string& out, const outgoing& request) const;
    void write_connect(std::string& out) const;

    bool through_tunnel() const { return proxy.has_value() && target.secure; }
    // Proxies that forward are not trusted with a second request on a connection: some (tinyproxy) close it
    // after each answer without a word, which would make many attempts ambiguous.
    bool one_request_each() const { return proxy.has_value() && !target.secure; }

    client_settings settings;
    upstream_url target;
    std::optional<upstream_url> proxy;
    std::unique_ptr<client_tls> tls;    // null for http://
    std::unique_ptr<name_lookup> names; // of the proxy, if there is one
    std::string target_prefix;          // before a request's path
    std::string fixed_headers;          // of every request
};

} // namespace linkrunner::net
