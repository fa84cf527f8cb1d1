// HTTP/1.1 client for one upstream: a pool of persistent connections, opened on demand (at most two
// handshakes at once), one request at a time each, never pipelined; the idle connection used last is used
// first. Requests beyond the connections wait in line. Lives on the loop's thread.
//
// Nothing is ever sent twice: a kept connection that the peer closes before any byte of an answer is told as
// `reset` with `reused`. Where no connection can be opened and none is open, every request that waited when
// the attempt began fails with its reason.
//
// TLS 1.2 and 1.3 with verification of chain and host name and with SNI, always; sessions are resumed. Names
// are resolved anew for each connection; both address families are tried (RFC 8305 in its simplest form: the
// next address when one fails or has not connected within 250 ms). Redirects are never followed. The answer
// is bounded in size. 1xx answers are skipped. A success before the request was sent whole is malformed. A
// request that has taken too long is cut with a reset: what the peer has not got by then it never gets.
#pragma once

#include "base/error.hpp"
#include "net/asio_loop.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linkrunner::net {

struct client_settings {
    std::string url; // http:// or https://host[:port][/base path]
    std::size_t connections = 32;
    std::chrono::milliseconds connect_timeout{5'000};  // resolve, connect, proxy and TLS together
    std::chrono::milliseconds request_timeout{15'000}; // from the first byte sent to the last byte received
    std::chrono::milliseconds idle_timeout{55'000};    // an idle connection is closed after this
    std::string ca_file;                               // PEM; empty: the system's store
    std::string client_cert_file;                      // PEM, for mutual TLS
    std::string client_key_file;
    // "http://[user:password@]host:port": CONNECT for https; absolute-form, a connection each, for http.
    std::string proxy;
    std::string user_agent = "linkrunnerd/" LINKRUNNER_VERSION;
    std::size_t max_answer_bytes = 64 * 1024;
    std::size_t max_header_bytes = 16 * 1024;
};

struct outgoing {
    std::string method = "POST";
    std::string path;                                         // appended to the base path: "/capture-event"
    std::vector<std::pair<std::string, std::string>> headers; // beside Host, User-Agent, Content-Length
    std::string content_type = "application/json";
    std::string body;
};

// How far an exchange without an answer came; words for logs and metric labels.
enum class transport_error : std::uint8_t {
    none,
    resolve,
    connect,
    tls,
    proxy,
    timeout,
    reset,
    malformed,
    too_large,
    stopped
};

const char* word_for(transport_error what) noexcept;

struct answer {
    transport_error failure = transport_error::none;
    std::string detail; // of the failure: "connect to 127.0.0.1:443: Connection refused"
    bool sent_whole =
        false; // the request's last byte was handed to the kernel (or TLS): without an answer, ambiguous
    bool reused = false;       // went over a connection that had carried a request before
    bool answer_begun = false; // at least one byte of an answer was read
    int status = 0;
    std::string retry_after; // headers as they came, "" where absent
    std::string date;
    std::string ratelimit, ratelimit_policy;                           // lists: several lines are one
    std::string ratelimit_limit, ratelimit_remaining, ratelimit_reset; // RateLimit-* or X-RateLimit-*
    std::string body;                                                  // at most max_answer_bytes
    std::chrono::nanoseconds duration{0};                              // from send() to the end
};

class client {
  public:
    // Errors: bad URL, unreadable or bad certificate files. Nothing is connected yet.
    static result<std::unique_ptr<client>> make(asio_loop& owner, const client_settings& options);
    virtual ~client() = default; // calls no `done`

    // `done` is called exactly once, on the loop, never from within send().
    virtual void send(outgoing request, std::function<void(answer)> done) = 0;

    // Cuts everything under way: each `done` is called with transport_error::stopped. Idempotent.
    virtual void stop() = 0;

    virtual std::size_t open_connections() const = 0;
};

} // namespace linkrunner::net
