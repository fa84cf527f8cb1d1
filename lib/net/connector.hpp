// Opens one connection: looks the name up, then tries the addresses one after the other, the next when one
// fails or has not connected within 250 ms; the first to connect wins (RFC 8305 in its simplest form).
// Room-internal; lives on the loop's thread.
#pragma once

#include "net/asio_loop.hpp"
#include "net/client.hpp"
#include "net/name_lookup.hpp"
#include "net/transport.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::net {

class connector : public std::enable_shared_from_this<connector> {
  public:
    // A socket, or why there is none.
    using outcome = std::function<void(std::optional<stream_socket>, transport_error, std::string)>;

    explicit connector(asio_loop& owner) : owner_(owner) {}

    // `done` is called once, not from within, unless stop() comes first.
    void start(name_lookup& names, outcome done);
    void stop();

    // What is being waited for, for the words of a timeout.
    std::string waiting_for() const;

  private:
    void resolved(const name_lookup::found& what);
    void try_next();
    void connected(std::size_t which, const boost::system::error_code& failure);
    void finish(std::optional<stream_socket> socket, transport_error what, std::string detail);

    asio_loop& owner_;
    outcome done_;
    std::string host_;
    std::vector<network_address> addresses_;
    std::vector<std::optional<stream_socket>> attempts_; // by address; none: failed
    std::size_t under_way_ = 0;
    loop::timer_id next_timer_ = 0;
    std::string last_failure_;
};

} // namespace linkrunner::net
