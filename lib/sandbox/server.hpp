// The sandbox on a socket. Not the product's HTTP server but one of its own: what it is for is to misbehave
// on the level of bytes (RST in mid-answer, half answers, no answers). Lives on the io_context's thread.
#pragma once

#include "base/error.hpp"
#include "env/clock.hpp"
#include "sandbox/api.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace linkrunner::sandbox {

struct tls_settings {
    std::string
        directory; // ca.crt and ca.key are taken from here or written here; "": made and kept in memory
    std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"}; // in the certificate
    bool expired = false;
    std::string min_version = "1.2"; // "1.0" to "1.3"
    std::string max_version = "1.3";
};

struct server_settings {
    std::string listen = "127.0.0.1:7419"; // host:port or [v6]:port; port 0: any
    bool tls = false;
    tls_settings security;
};

class server {
  public:
    // Binds, listens and makes certificates; serving begins with start(). All references must outlive the
    // server, and what was queued in the io_context when the server ends.
    static result<std::unique_ptr<server>> open(boost::asio::io_context& owner,
                                                const server_settings& options, api& state, clock& time);
    virtual ~server() = default;

    virtual void start() = 0;

    // Told after each request (and each failed handshake).
    virtual void on_change(std::function<void()> told) = 0;

    // False: new connections are refused, the port stays reserved; connections that are open stay.
    virtual void set_listening(bool listening) = 0;

    // Cuts all open connections (FIN or RST, as the kernel sees fit).
    virtual void drop_connections() = 0;

    // Closes everything. Idempotent.
    virtual void stop() = 0;

    virtual std::uint16_t port() const = 0;
    virtual std::string url() const = 0;           // with the prefix: what upstream.url is set to
    virtual const std::string& ca_pem() const = 0; // "" without TLS
};

} // namespace linkrunner::sandbox
