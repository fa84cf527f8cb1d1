// One connected stream socket, TCP or Unix, with or without TLS: the one place where bytes move.
// Room-internal.
//
// Owned by its user (a server or client connection) as a member, lives on the loop's thread. The user is kept
// alive by a shared_ptr while an operation is under way; after close() it hears nothing more. At most one
// read and one wait for writability are under way at a time.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_st; // OpenSSL's SSL

namespace linkrunner::net {

struct ssl_deleter {
    void operator()(ssl_st* session) const noexcept;
};
using ssl_pointer = std::unique_ptr<ssl_st, ssl_deleter>;

enum class io_status : std::uint8_t {
    ok,
    blocked,   // nothing can be done now
    end,       // the peer will send no more
    truncated, // TLS: the stream ended without the peer's close_notify (RFC 8446 section 6.1)
    failed
};

struct io_result {
    io_status status = io_status::ok;
    std::size_t bytes = 0;
};

class transport_user {
  public:
    virtual ~transport_user() = default;
    virtual void on_read(io_status status, std::size_t bytes) = 0;
    virtual void on_writable() = 0;
    // The TLS handshake has ended; `failure` is empty when it went well.
    virtual void on_secured(const std::string& failure) = 0;
};

using stream_socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                       boost::asio::io_context::executor_type>;

class transport {
  public:
    transport() = default;
    ~transport();
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;

    void open(stream_socket socket);
    // What follows is TLS: `session` is set up as client or server; on_secured() tells the end.
    void secure(const std::shared_ptr<transport_user>& user, ssl_pointer session);

    bool is_open() const { return socket_.has_value(); }
    bool is_secure() const { return session_ != nullptr; }
    ssl_st* session() const { return session_.get(); }

    // Reads some bytes into `into`, which must stay valid until on_read() or close().
    void start_read(const std::shared_ptr<transport_user>& user, boost::asio::mutable_buffer into);

    // Hands as much of `first` and `second` to the kernel as it takes, in one go. After `blocked`, what is
    // left must be offered again from its first byte.
    io_result write(std::string_view first, std::string_view second);
    void start_writable(const std::shared_ptr<transport_user>& user);

    // False when a connection on which nothing is expected has something to say: its end, mostly.
    bool is_quiet();
    // True when the peer is gone altogether (reset, or both directions closed).
    bool is_hung_up() const;
    // True when the peer has ended its side, be it gone or not.
    bool is_ended() const;

    // No more from this side; reading goes on.
    void shutdown_write();
    void close();
    // The peer reads no more of what was written and has not arrived: RST instead of FIN (socket(7),
    // SO_LINGER).
    void abort();

    // Why the last operation failed, in words.
    const std::string& failure() const { return failure_; }

  private:
    enum class need : std::uint8_t { read, write };
    struct read_done;
    struct ready;

    void handshake(const std::shared_ptr<transport_user>& user);
    void read_secure(const std::shared_ptr<transport_user>& user);
    io_result read_some_secure();
    io_result write_plain(std::string_view first, std::string_view second);
    io_result write_secure(std::string_view first, std::string_view second);
    io_result secure_result(int returned);
    int descriptor() const;

    std::optional<stream_socket> socket_;
    ssl_pointer session_;
    boost::asio::mutable_buffer into_;
    bool handshaking_ = false;
    bool broken_ = false; // TLS failed: no close_notify may be sent any more (SSL_shutdown(3))
    bool sent_end_ = false;
    need wanted_ = need::read;
    std::string failure_;
};

} // namespace linkrunner::net
