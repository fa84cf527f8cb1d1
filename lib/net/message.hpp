// An HTTP request as a handler sees it, and its answer. No Beast in here: handlers are tested without
// sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace linkrunner::net {

// Where a request came in.
struct listener_info {
    std::string name; // as configured: "127.0.0.1:7417", "unix:/run/linkrunnerd/intake.sock"
    bool unix_socket = false;
    bool loopback = false; // TCP bound to a loopback address
    bool tls = false;
};

// Who has opened a connection to a Unix socket (SO_PEERCRED, unix(7)).
struct peer_credentials {
    int pid = 0;
    unsigned uid = 0;
    unsigned gid = 0;
};

// Valid until the handler has called its responder. Header names are looked up without regard to case.
class request {
  public:
    virtual ~request() = default;
    virtual std::string_view method() const = 0;
    virtual std::string_view target() const = 0;                      // as sent: path and query
    virtual std::string_view header(std::string_view name) const = 0; // "" where absent; the first of several
    virtual std::size_t header_count(std::string_view name) const = 0;
    virtual std::string& body() = 0; // of the whole request; a handler may move it away
    virtual const listener_info& listener() const = 0;
    virtual std::optional<peer_credentials> peer() const { return std::nullopt; } // of Unix sockets only

    std::string_view path() const { return target().substr(0, target().find('?')); }
    std::string_view query() const {
        const auto mark = target().find('?');
        return mark == std::string_view::npos ? std::string_view{} : target().substr(mark + 1);
    }
};

// The body of an answer that goes on for as long as both sides want. Loop's thread; may be kept beyond the
// connection. Letting go of it ends the answer.
class body_stream {
  public:
    virtual ~body_stream() = default;
    virtual bool is_open() const = 0; // false: the client has gone, or the server ends
    virtual std::size_t
    unsent_bytes() const = 0; // that the client has not taken yet: for the caller to bound
    virtual void send(std::string_view text) = 0; // nothing when it is not open
    virtual void end() = 0;                       // after what was sent; idempotent
};

struct response {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>>
        headers;        // beside Content-Type, Content-Length, Date, Connection
    bool close = false; // close the connection after this answer
    // Set: `body` is empty and comes by way of what this is called with, once the head is sent.
    std::function<void(std::shared_ptr<body_stream>)> stream = {};
};

// Called once, on the loop's thread, now or later. A responder whose connection or server has gone does
// nothing. Letting go of it without a call closes the connection.
class responder {
  public:
    responder() = default;
    template <class Answer>
        requires std::is_invocable_v<Answer&, response>
    responder(Answer answer, std::function<bool()> client_waits = {})
        : answer_(std::move(answer)), client_waits_(std::move(client_waits)) {}

    void operator()(response given) const { answer_(std::move(given)); }
    explicit operator bool() const { return static_cast<bool>(answer_); }

    // False when the client may have gone: the connection is closed, or the client has ended its side of it,
    // after which it can still read its answer.
    bool client_waits() const { return !client_waits_ || client_waits_(); }

  private:
    std::function<void(response)> answer_;
    std::function<bool()> client_waits_;
};

// What a server serves. Lives on the loop's thread and outlives the server.
class request_handler {
  public:
    virtual ~request_handler() = default;

    // Asked when the headers are complete and before the body is read (and before 100 Continue is sent): an
    // answer here refuses the request without reading its body.
    virtual std::optional<response> refuse_early(request& head) = 0;

    virtual void handle(request& whole, responder answer) = 0;

    // The answer to what never became a request: 400 (malformed HTTP), 408, 411, 413, 431, 503 (too many
    // connections).
    virtual response protocol_error(int status, std::string_view code, std::string_view message) = 0;

    // False stops the reading of further requests until server::resume() is called (requests in hand go on).
    virtual bool may_read() { return true; }
};

} // namespace linkrunner::net
