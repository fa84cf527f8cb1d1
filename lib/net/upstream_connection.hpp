// One connection of the client: opens (through a proxy and TLS where asked), then carries one request at a
// time. Room-internal; lives on the loop's thread.
#pragma once

#include "net/answer_reader.hpp"
#include "net/connector.hpp"
#include "net/inbox.hpp"
#include "net/transport.hpp"
#include "net/upstream.hpp"

#include <functional>
#include <memory>
#include <string>

namespace linkrunner::net {

class upstream_connection;

// What a connection tells its pool. The connection may be used or dropped from within.
struct upstream_host {
    virtual ~upstream_host() = default;
    virtual void opened(upstream_connection& which) = 0;
    virtual void not_opened(upstream_connection& which, transport_error what, std::string detail) = 0;
    virtual void idle(upstream_connection& which) = 0; // its request is done and it can carry another
    virtual void closed(upstream_connection& which) = 0;
};

// A request on its way to an answer.
struct pending_request {
    outgoing request;
    std::function<void(answer)> done;
    steady_time begun;
};

class upstream_connection final : public transport_user,
                                  public std::enable_shared_from_this<upstream_connection> {
  public:
    upstream_connection(asio_loop& owner, upstream& of, upstream_host& host);

    void open();
    void carry(pending_request what); // when idle; `done` is not called from within
    // False when the peer has closed an idle connection, or talks on it.
    bool is_fresh() { return transport_.is_quiet(); }
    void tick(steady_time now); // looks at deadlines
    // At once. The request in hand is given back without an answer (its `done` may be empty). Idempotent.
    pending_request close();

    steady_time opening_since() const { return opening_since_; }
    bool is_open() const { return phase_ == phase::idle || phase_ == phase::busy; }

  private:
    enum class phase : std::uint8_t { connecting, proxy, securing, idle, busy, closed };

    void on_read(io_status status, std::size_t bytes) override;
    void on_writable() override;
    void on_secured(const std::string& failure) override;

    void connected(std::optional<stream_socket> socket, transport_error what, std::string detail);
    void connected_through();
    void proxy_answered(io_status status);
    void ready();
    void not_opened(transport_error what, std::string detail);
    void answer_bytes();
    void answered();
    void stream_ended(io_status status);
    void write_on();
    bool is_sent_whole() const { return written_ == out_head_.size() + in_hand_.request.body.size(); }
    void read_more();
    void finish(transport_error what, std::string detail);
    answer make_answer(transport_error what, std::string detail);

    asio_loop& owner_;
    upstream& upstream_;
    upstream_host* host_; // null once closed
    std::shared_ptr<connector> connector_;
    transport transport_;
    inbox inbox_;
    answer_reader reader_;
    std::string out_head_;
    std::size_t written_ = 0;
    pending_request in_hand_;
    steady_time opening_since_;
    steady_time deadline_ = steady_time::max();
    phase phase_ = phase::connecting;
    bool carried_before_ = false;
    bool write_failed_ = false;
};

} // namespace linkrunner::net
