#include "net/upstream_url.hpp"

#include "net/host_port.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>

namespace linkrunner::net {
namespace {

error bad(std::string_view text, const std::string& why) {
    return make_error(std::errc::invalid_argument, std::string(text) + ": " + why);
}

// What both kinds have in common.
result<upstream_url> parse(std::string_view text, const boost::urls::url_view& url) {
    upstream_url made;
    const auto scheme = url.scheme_id();
    if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) {
        return bad(text, "the URL must begin with http:// or https://");
    }
    made.secure = scheme == boost::urls::scheme::https;
    made.host = url.host_type() == boost::urls::host_type::ipv6 ? url.host_address() : url.host();
    if (made.host.empty()) {
        return bad(text, "the host is missing");
    }
    made.port = made.secure ? 443 : 80;
    if (const auto digits = url.port(); !digits.empty()) { // port_number() wraps round
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), made.port);
        if (failure != std::errc{} || end != digits.data() + digits.size() || made.port == 0) {
            return bad(text, "the port must be a number from 1 to 65535");
        }
    }
    if (url.has_query() || url.has_fragment()) {
        return bad(text, "a query or fragment has no meaning here");
    }
    return made;
}

} // namespace

std::string upstream_url::authority() const {
    if (port == (secure ? 443 : 80)) {
        return host.find(':') == std::string::npos ? host : "[" + host + "]";
    }
    return connect_name();
}

std::string upstream_url::connect_name() const {
    return join_host_port(host, port);
}

result<upstream_url> parse_upstream_url(std::string_view text) {
    const auto url = boost::urls::parse_uri({text.data(), text.size()});
    if (!url) {
        return bad(text, "not a URL");
    }
    auto made = parse(text, *url);
    if (!made) {
        return made;
    }
    if (url->has_userinfo()) {
        return bad(url->host(), "a user name in the URL is not understood");
    }
    const auto path = url->encoded_path();
    made->base_path.assign(path.data(), path.size());
    while (made->base_path.ends_with('/')) {
        made->base_path.pop_back();
    }
    return made;
}

result<upstream_url> parse_proxy_url(std::string_view text) {
    const auto url = boost::urls::parse_uri({text.data(), text.size()});
    if (!url) {
        return make_error(std::errc::invalid_argument, // the text may hold a password
                          "the proxy is not a URL of the form http://[user:password@]host:port");
    }
    const auto shown = "proxy " + url->host();
    auto made = parse(shown, *url);
    if (!made) {
        return made;
    }
    if (made->secure) {
        return bad(shown, "only proxies with http:// are understood");
    }
    if (url->has_userinfo()) {
        made->user_info = url->user() + ":" + url->password();
    }
    return made;
}

std::string base64(std::string_view bytes) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string made;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            word = word << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            made += at + i > bytes.size() ? '=' : digits[word >> (18 - 6 * i) & 63];
        }
    }
    return made;
}

} // namespace linkrunner::net
