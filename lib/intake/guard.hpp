// Who may post: browsers never, strangers only with the token, and nobody under a foreign name (DNS
// rebinding).
#pragma once

#include "intake/envelope.hpp"
#include "intake/settings.hpp"
#include "net/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::intake {

// The refusal (401 token, 403 origin, 421 host), or nothing when the caller may post.
std::optional<coded_refusal> refuse_caller(const net::request& head, const settings& options);

// The linkrunner-key header of a drop-in client against the daemon's key, in constant time. True where there
// is no header.
bool client_key_matches(const net::request& head, std::string_view server_key);

// "localhost", "127.0.0.1:7417", "[::1]": a name that only this machine answers to, with or without a port.
bool is_loopback_host(std::string_view host);

} // namespace linkrunner::intake
