// Resolves one host name, on a thread of its own while a lookup is under way: getaddrinfo(3) cannot be
// interrupted, and nobody shall wait for it when the daemon stops. Room-internal; lives on the loop's thread.
#pragma once

#include "net/asio_loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace linkrunner::net {

struct network_address {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

class name_lookup {
  public:
    struct found {
        std::vector<network_address> addresses; // the families take turns (RFC 8305 section 4)
        std::string failure;                    // set when there are none
    };
    using listener = std::function<void(const found&)>;

    name_lookup(asio_loop& owner, std::string host, std::uint16_t port);
    ~name_lookup(); // listeners hear nothing more

    // Looks the name up anew; a lookup under way serves all who ask meanwhile. `done` is called on the loop,
    // never from within.
    void ask(listener done);

    const std::string& host() const { return host_; }

  private:
    struct shared;
    void deliver(const found& what);

    asio_loop& owner_;
    const std::string host_;
    const std::uint16_t port_;
    std::shared_ptr<shared> shared_;
    std::vector<listener> waiting_;
};

} // namespace linkrunner::net
