#include "net/upstream.hpp"

#include "net/header_text.hpp"

namespace linkrunner::net {
namespace {

std::string credentials(const upstream_url& proxy) {
    if (proxy.user_info.empty()) {
        return {};
    }
    return "Proxy-Authorization: Basic " + base64(proxy.user_info) + "\r\n"; // RFC 7617
}

} // namespace

result<std::unique_ptr<upstream>> upstream::make(asio_loop& owner, const client_settings& options) {
    auto made = std::make_unique<upstream>();
    made->settings = options;
    auto target = parse_upstream_url(options.url);
    if (!target) {
        return target.error();
    }
    made->target = std::move(*target);
    if (!options.proxy.empty()) {
        auto proxy = parse_proxy_url(options.proxy);
        if (!proxy) {
            return proxy.error();
        }
        made->proxy = std::move(*proxy);
    }
    if (made->target.secure) {
        auto tls = client_tls::make(options, made->target.host);
        if (!tls) {
            return tls.error();
        }
        made->tls = std::move(*tls);
    }
    const auto& next = made->proxy ? *made->proxy : made->target;
    made->names = std::make_unique<name_lookup>(owner, next.host, next.port);
    made->fixed_headers = "Host: " + made->target.authority() + "\r\n";
    append_header(made->fixed_headers, "User-Agent", options.user_agent);
    if (made->one_request_each()) {
        made->target_prefix = "http://" + made->target.authority(); // RFC 9112 section 3.2.2
        made->fixed_headers += credentials(*made->proxy) + "Connection: close\r\n";
    }
    made->target_prefix += made->target.base_path;
    return made;
}

void upstream::write_head(std::string& out, const outgoing& request) const {
    out = request.method;
    out += ' ';
    out += target_prefix;
    append_value(out, target_prefix.empty() && request.path.empty() ? "/" : request.path);
    out += " HTTP/1.1\r\n";
    out += fixed_headers;
    if (!request.body.empty()) {
        append_header(out, "Content-Type", request.content_type);
    }
    if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
        out += "Content-Length: ";
        append_number(out, request.body.size());
        out += "\r\n";
    }
    for (const auto& [name, value] : request.headers) {
        append_header(out, name, value);
    }
    out += "\r\n";
}

void upstream::write_connect(std::string& out) const {
    const auto name = target.connect_name();
    out = "CONNECT " + name + " HTTP/1.1\r\nHost: " + name + "\r\n";
    append_header(out, "User-Agent", settings.user_agent);
    out += credentials(*proxy) + "\r\n";
}

} // namespace linkrunner::net
