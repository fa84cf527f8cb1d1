// One connection of the server: reads requests, has them handled, writes the answers, in order, one at a
// time. Room-internal; lives on the loop's thread.
//
// Shared by the server, the operations under way and the responders given out: a request stays valid for its
// handler even when the connection has gone.
#pragma once

#include "net/body_pool.hpp"
#include "net/inbox.hpp"
#include "net/message.hpp"
#include "net/request_reader.hpp"
#include "net/response_head.hpp"
#include "net/server.hpp"
#include "net/transport.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace linkrunner::net {

class connection;

// What a connection needs of its server.
struct connection_host {
    virtual ~connection_host() = default;
    virtual void closed(connection& which) = 0;
    virtual void paused(std::shared_ptr<connection> which) = 0; // may_read() was false
    virtual void later(loop::task work) = 0;

    explicit connection_host(const server_settings& given, request_handler& served)
        : settings(given), handler(served), pool(given.body_pool_bytes) {}
    server_settings settings;
    request_handler& handler;
    body_pool pool;
    date_text date;
    bool winding_down = false; // answers end their connections
    bool stopping = false;
    std::chrono::milliseconds stop_grace{}; // how long a connection may be idle while stopping
};

class connection final : public transport_user, public std::enable_shared_from_this<connection> {
  public:
    connection(connection_host& host, std::shared_ptr<const listener_info> listener);

    // One of these begins it.
    void serve(stream_socket socket, ssl_pointer session);
    void turn_away(stream_socket socket, bool admitted); // 503: too many connections; 403: not admitted

    void resume();                      // after paused()
    void drain();                       // the server stops: close when nothing is in hand, or soon
    void retire() { retiring_ = true; } // close after the next answer
    void tick(steady_time now);         // looks at deadlines
    void close();                       // at once; idempotent

    bool was_turned_away() const { return turned_away_; }
    const listener_info& listener() const { return reader_.listener(); }
    std::size_t place = 0; // in the server's list

  private:
    enum class phase : std::uint8_t {
        handshake,
        idle,
        paused,
        head,
        pool_wait,
        body,
        handling,
        writing,
        streaming,  // the answer goes on until its body_stream ends it, or the client goes
        discarding, // the rest of a refused request's body
        lingering,  // all is said; waits for the peer to hang up, or it might lose the answer
        closed
    };
    enum class after_write : std::uint8_t { next_request, read_body, discard_body, stream, hang_up, close };
    struct exchange;
    class stream;

    void on_read(io_status status, std::size_t bytes) override;
    void on_writable() override;
    void on_secured(const std::string& failure) override;

    void advance();
    bool step();
    bool begin_request();
    bool read_head();
    bool head_complete();
    bool body_begins();
    bool wait_for_pool(std::uint64_t bytes);
    bool read_body();
    bool discard();
    bool handle();
    bool fail(int status, std::string_view code, std::string_view message);
    bool fail();
    bool refuse(response answer);

    void answer(std::uint64_t number, response given);
    void dropped(std::uint64_t number);
    bool client_waits() const;
    void send(response given, after_write then);
    void write_on();
    void written();
    void begin_stream();
    void stream_on();
    void hang_up();
    void read_more(std::size_t wanted);
    void release_share();
    void deadline_in(std::chrono::milliseconds span);
    bool closes_when_idle() const { return host_->stopping && host_->stop_grace.count() == 0; }
    steady_time now() const { return std::chrono::steady_clock::now(); }

    connection_host* host_; // null once closed
    transport transport_;
    inbox inbox_;
    request_reader reader_;
    std::string out_head_, out_body_;
    std::function<void(std::shared_ptr<body_stream>)> stream_begin_;
    bool stream_ending_ = false;
    bool stream_blocked_ = false;
    std::size_t written_ = 0;
    std::uint64_t share_ = 0;    // of the body pool
    std::uint64_t exchange_ = 0; // number of the request in hand
    std::uint64_t swept_exchange_ = 0;
    steady_time deadline_ = steady_time::max();
    steady_time idle_since_{};
    steady_time::duration left_{}; // of the deadline, while waiting for the pool
    phase phase_ = phase::idle;
    after_write then_ = after_write::next_request;
    bool keep_alive_ = true;
    bool reading_ = false;   // a read is under way
    bool ended_ = false;     // the peer sends no more
    bool advancing_ = false; // we are inside advance()
    bool turned_away_ = false;
    bool retiring_ = false;
};

} // namespace linkrunner::net
