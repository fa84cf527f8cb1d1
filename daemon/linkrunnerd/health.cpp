#include "health.hpp"

#include "exit_codes.hpp"
#include "net/asio_loop.hpp"
#include "net/client.hpp"

#include <chrono>
#include <cstdio>
#include <string>

namespace linkrunner::daemon {

namespace {

// An address to listen on as one to connect to.
std::string reachable(std::string address) {
    if (address.starts_with("0.0.0.0:")) {
        address.replace(0, 7, "127.0.0.1");
    } else if (address.starts_with("[::]:")) {
        address.replace(0, 4, "[::1]");
    }
    return address;
}

} // namespace

int check_health(const config::settings& settings) {
    if (settings.observe_listen.empty()) {
        std::fputs("linkrunnerd --health: observe.listen is empty, nothing to ask\n", stderr);
        return exit_failed;
    }
    net::client_settings options;
    options.url = "http://" + reachable(settings.observe_listen.front());
    options.connections = 1;
    options.connect_timeout = std::chrono::seconds(2);
    options.request_timeout = std::chrono::seconds(2);
    net::asio_loop loop;
    auto client = net::client::make(loop, options);
    if (client.has_error()) {
        std::fprintf(stderr, "linkrunnerd --health: %s\n", client.error().message.c_str());
        return exit_failed;
    }
    net::answer got;
    net::outgoing request;
    request.method = "GET";
    request.path = "/healthz";
    (*client)->send(std::move(request), [&](net::answer how) {
        got = std::move(how);
        (*client)->stop();
        loop.stop();
    });
    loop.run();
    if (got.status == 200) {
        return exit_clean;
    }
    const std::string why = got.status == 0 ? got.detail : "status " + std::to_string(got.status);
    std::fprintf(stderr, "linkrunnerd --health: %s: %s\n", options.url.c_str(), why.c_str());
    return exit_failed;
}

} // namespace linkrunner::daemon
