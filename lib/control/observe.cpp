#include "control/observe.hpp"

#include <utility>

namespace linkrunner::control {

namespace {

constexpr std::string_view index_text = "linkrunnerd\n"
                                        "/healthz  is the process alive\n"
                                        "/readyz   are events accepted; 503 with the reason if not\n"
                                        "/metrics  Prometheus metrics\n"
                                        "/status   everything at a glance, as JSON\n";

net::response text(int status, std::string body) {
    net::response out;
    out.status = status;
    out.content_type = "text/plain; charset=utf-8";
    out.body = std::move(body);
    out.headers.emplace_back("Cache-Control", "no-store");
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
        net::response out = text(200, ports_.status());
        out.content_type = "application/json";
        answer(std::move(out));
    } else if (path == "/") {
        answer(text(200, std::string(index_text)));
    } else {
        answer(text(404, "not found; / lists what is served here\n"));
    }
}

net::response observe::protocol_error(int status, std::string_view, std::string_view message) {
    return text(status, std::string(message) + "\n");
}

} // namespace linkrunner::control
