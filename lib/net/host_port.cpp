#include "net/host_port.hpp"

#include <charconv>

namespace linkrunner::net {

std::optional<host_port> split_host_port(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return std::nullopt;
    }
    host_port made{std::string(host), 0};
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), made.port);
    if (failure != std::errc{} || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return made;
}

std::string join_host_port(const std::string& host, std::uint16_t port) {
    const bool bare_v6 = host.find(':') != std::string::npos;
    return (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

} // namespace linkrunner::net
