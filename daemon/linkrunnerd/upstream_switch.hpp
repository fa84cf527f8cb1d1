// The client of the upstream, exchangeable while requests are under way: those end on the client that they
// began with, which is then closed; new ones go out on the new client. Lives on the loop's thread.
#pragma once

#include "env/loop.hpp"
#include "net/client.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>

namespace linkrunner::daemon {

class upstream_switch final : public net::client {
  public:
    upstream_switch(loop& owner, std::unique_ptr<net::client> first);

    void change(std::unique_ptr<net::client> next);

    void send(net::outgoing request, std::function<void(net::answer)> done) override;
    void stop() override;
    std::size_t open_connections() const override;

  private:
    struct line {
        std::unique_ptr<net::client> to;
        std::size_t in_hand = 0; // requests under way
    };
    using place = std::list<line>::iterator;

    void ended(place where);
    void retire(place where);

    loop& owner_;
    std::list<line> lines_; // the last one is the present one
};

} // namespace linkrunner::daemon
