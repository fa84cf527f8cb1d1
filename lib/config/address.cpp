#include "config/address.hpp"

#include "config/units.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <charconv>
#include <cstring>
#include <sys/un.h>

namespace linkrunner::config {
namespace {

constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1; // unix(7)

error invalid(std::string_view text, const std::string& why) {
    return make_error(std::errc::invalid_argument, quote(text) + " " + why);
}

result<listen_on> parse_unix(std::string_view text) {
    const std::string_view path = text.substr(std::strlen("unix:"));
    if (path.size() < 2 || (path[0] != '/' && path[0] != '@')) {
        return invalid(text, "needs an absolute path (unix:/run/linkrunnerd/intake.sock) or an abstract name "
                             "(unix:@linkrunnerd)");
    }
    if (path.size() > longest_path) {
        return invalid(text, "is too long for a Unix socket; at most " + std::to_string(longest_path) +
                                 " bytes after unix:");
    }
    return listen_on{true, std::string(path), 0};
}

bool is_host_name(std::string_view host) {
    return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
    });
}

bool is_ipv6(std::string_view host) {
    in6_addr ignored{};
    return ::inet_pton(AF_INET6, std::string(host.substr(0, host.find('%'))).c_str(), &ignored) == 1;
}

} // namespace

result<listen_on> parse_listen(std::string_view text) {
    if (text.starts_with("unix:")) {
        return parse_unix(text);
    }
    const std::size_t colon = text.rfind(':');
    const std::string_view host = text.substr(0, colon);
    if (colon == std::string_view::npos) {
        return invalid(text, "is not an address; write host:port (127.0.0.1:7417), [::1]:7417 or unix:/path");
    }
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failure != std::errc{} || end != digits.data() + digits.size()) {
        return invalid(text, "has no port between 0 and 65535 at its end");
    }
    if (host.empty() || host == "*") {
        return invalid(text, "has no host; write 127.0.0.1 for this machine only, 0.0.0.0 or [::] for every "
                             "interface");
    }
    if (host.starts_with('[') && host.ends_with(']')) {
        const std::string_view inner = host.substr(1, host.size() - 2);
        if (!is_ipv6(inner)) {
            return invalid(text, "has no IPv6 address between its brackets");
        }
        return listen_on{false, std::string(inner), port};
    }
    if (host.find(':') != std::string_view::npos) {
        return invalid(text, "holds an IPv6 address without brackets; write [::1]:7417");
    }
    if (!is_host_name(host)) {
        return invalid(text, "holds characters that no host name has");
    }
    return listen_on{false, std::string(host), port};
}

bool is_loopback(std::string_view host) {
    std::string name(host);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    in_addr four{};
    if (::inet_pton(AF_INET, name.c_str(), &four) == 1) {
        return (ntohl(four.s_addr) >> 24U) == 127;
    }
    in6_addr six{};
    if (::inet_pton(AF_INET6, name.c_str(), &six) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&six) != 0;
    }
    return name == "localhost" || name.ends_with(".localhost");
}

} // namespace linkrunner::config
