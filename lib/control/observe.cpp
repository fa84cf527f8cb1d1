#include "control/observe.hpp"

#include "control/page.hpp"

#include <utility>

namespace linkrunner::control {

namespace {

net::response text(int status, std::string body) {
    net::response out;
    out.status = status;
    out.content_type = "text/plain; charset=utf-8";
    out.body = std::move(body);
    out.headers.emplace_back("Cache-Control", "no-store");
    return out;
}

net::response json(std::string body) {
    net::response out = text(200, std::move(body));
    out.content_type = "application/json";
    return out;
}

// RFC 9110 section 13.1.2: a list of tags, or *. Ours is strong, and weak comparison is asked for.
bool has_tag(std::string_view if_none_match) {
    return if_none_match == "*" || if_none_match.find(page_etag) != std::string_view::npos;
}

net::response page(const net::request& asked) {
    net::response out;
    out.content_type = "text/html; charset=utf-8";
    if (has_tag(asked.header("If-None-Match"))) {
        out.status = 304;
    } else {
        out.body = page_html;
    }
    out.headers = {{"ETag", std::string(page_etag)},
                   {"Cache-Control", "no-cache"}, // may be kept, and is asked for again
                   {"Content-Security-Policy", std::string(page_policy)},
                   {"X-Content-Type-Options", "nosniff"},
                   {"Referrer-Policy", "no-referrer"}};
    return out;
}

} // namespace

std::optional<net::response> observe::refuse_early(net::request& head) {
    if (head.method() != "GET" && head.method() != "HEAD") {
        net::response out = text(405, "only GET and HEAD are served here\n");
        out.headers.emplace_back("Allow", "GET, HEAD");
        return out;
    }
    return std::nullopt;
}

void observe::handle(net::request& whole, net::responder answer) {
    const std::string_view path = whole.path();
    if (path == "/healthz") {
        answer(text(200, "alive\n"));
    } else if (path == "/readyz") {
        const auto reason = ports_.not_ready();
        answer(reason ? text(503, *reason + "\n") : text(200, "ready\n"));
    } else if (path == "/metrics") {
        net::response out = text(200, ports_.metrics());
        out.content_type = "text/plain; version=0.0.4; charset=utf-8";
        answer(std::move(out));
    } else if (path == "/status") {
        answer(json(ports_.status()));
    } else if (path == "/history.json") {
        answer(json(ports_.history()));
    } else if (path == "/") {
        answer(page(whole));
    } else {
        answer(text(404, "not found; here are /, /healthz, /readyz, /metrics, /status and /history.json\n"));
    }
}

net::response observe::protocol_error(int status, std::string_view, std::string_view message) {
    return text(status, std::string(message) + "\n");
}

} // namespace linkrunner::control
