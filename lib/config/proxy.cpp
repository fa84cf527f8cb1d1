#include "config/proxy.hpp"

#include "config/address.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <charconv>

namespace linkrunner::config {
namespace {

std::string lowered(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

struct address {
    std::array<unsigned char, 16> bytes{};
    std::size_t bits = 0; // 32 or 128; 0: not an address
};

address parse_address(std::string_view text) {
    const std::string terminated(text);
    address out;
    if (::inet_pton(AF_INET, terminated.c_str(), out.bytes.data()) == 1) {
        out.bits = 32;
    } else if (::inet_pton(AF_INET6, terminated.c_str(), out.bytes.data()) == 1) {
        out.bits = 128;
    }
    return out;
}

bool in_network(std::string_view network, std::string_view host) {
    const std::size_t slash = network.find('/');
    const address base = parse_address(network.substr(0, slash));
    const address asked = parse_address(host);
    std::size_t prefix = base.bits;
    if (slash != std::string_view::npos) {
        const auto digits = network.substr(slash + 1);
        if (std::from_chars(digits.data(), digits.data() + digits.size(), prefix).ec != std::errc{}) {
            return false;
        }
    }
    if (base.bits == 0 || base.bits != asked.bits || prefix > base.bits) {
        return false;
    }
    for (std::size_t bit = 0; bit < prefix; ++bit) {
        const unsigned mask = 0x80U >> (bit % 8);
        if (((base.bytes[bit / 8] ^ asked.bytes[bit / 8]) & mask) != 0) {
            return false;
        }
    }
    return true;
}

bool matches(std::string_view entry, std::string_view host, std::string_view port) {
    if (entry == "*" || in_network(entry, host)) {
        return true;
    }
    const std::size_t colon = entry.rfind(':');
    if (colon != std::string_view::npos) {
        if (entry.substr(colon + 1) != port) {
            return false;
        }
        entry = entry.substr(0, colon);
    }
    if (entry.starts_with('[') && entry.ends_with(']')) {
        entry = entry.substr(1, entry.size() - 2);
    }
    if (entry.starts_with("*.")) {
        entry.remove_prefix(1);
    }
    if (entry.empty() || !host.ends_with(entry.starts_with('.') ? entry.substr(1) : entry)) {
        return false;
    }
    const std::string_view name = entry.starts_with('.') ? entry.substr(1) : entry;
    return host.size() == name.size() ||
           (parse_address(host).bits == 0 && host[host.size() - name.size() - 1] == '.');
}

} // namespace

bool is_exempt(std::string_view list, std::string_view host, std::string_view port) {
    const std::string entries = lowered(list);
    const std::string name = lowered(host);
    for (std::size_t at = 0; at <= entries.size();) {
        const std::size_t end = std::min(entries.find_first_of(", ", at), entries.size());
        if (end > at && matches(std::string_view(entries).substr(at, end - at), name, port)) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

std::optional<proxy_choice> proxy_from_environment(const std::string& url, const lookup& environment) {
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed || lowered(std::string_view(parsed->scheme().data(), parsed->scheme().size())) != "https") {
        return std::nullopt;
    }
    std::string host = parsed->host();
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    const std::string port = parsed->has_port() ? std::string(parsed->port()) : "443";
    const auto first_set = [&](const char* upper, const char* lower) -> std::optional<proxy_choice> {
        for (const char* variable : {upper, lower}) {
            if (auto value = environment(variable); value && !value->empty()) {
                return proxy_choice{*std::move(value), variable};
            }
        }
        return std::nullopt;
    };
    auto found = first_set("HTTPS_PROXY", "https_proxy");
    const auto exempt = first_set("NO_PROXY", "no_proxy");
    if (!found || is_loopback(host) || (exempt && is_exempt(exempt->url, host, port))) {
        return std::nullopt;
    }
    if (found->url.find("://") == std::string::npos) {
        found->url.insert(0, "http://");
    }
    return found;
}

} // namespace linkrunner::config
