// One connection to the sandbox, over TCP or TLS: reads requests, asks the api, and answers or misbehaves on
// the level of bytes. Lives on the thread of the io_context; keeps itself alive until it is closed.
#pragma once

#include "env/clock.hpp"
#include "sandbox/api.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <functional>
#include <memory>
#include <unordered_set>

namespace linkrunner::sandbox {

class connection {
  public:
    virtual ~connection() = default;
    virtual void start() = 0;
    virtual void hold(std::chrono::milliseconds length) = 0; // reads and answers nothing; 0: for ever
    virtual void abort() = 0;
};

// What connections share. They hold it by shared_ptr, so that they may end after the server.
struct connection_host {
    api& state;
    linkrunner::clock& time;
    std::function<void()> changed; // after each request; may be empty
    std::unordered_set<connection*> open;
    bool stopped = false;
};

std::shared_ptr<connection> make_connection(std::shared_ptr<connection_host> host,
                                            boost::asio::ip::tcp::socket socket);
std::shared_ptr<connection> make_connection(std::shared_ptr<connection_host> host,
                                            boost::asio::ip::tcp::socket socket,
                                            boost::asio::ssl::context& tls);

// RST instead of FIN: unsent data is thrown away (socket(7), SO_LINGER).
void reset_socket(boost::asio::ip::tcp::socket& socket);

} // namespace linkrunner::sandbox
