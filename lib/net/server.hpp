// HTTP/1.1 server on TCP and Unix sockets, with or without TLS: keep-alive, pipelining (answered in order),
// Expect: 100-continue, chunked and sized bodies. Lives on the loop's thread.
//
// Bounds: connections (beyond them the new one is answered 503 and closed), header bytes (16 KiB: 431), body
// bytes (413), time to receive one request (408), idle time between requests (closed silently). Bodies over
// 64 KiB share a pool of `body_pool_bytes`: when it is used up, reading pauses until others are answered.
// A client that vanishes while its request is handled is noticed by the next sweeps; one that has merely shut
// down its sending side gets its answer. Out of descriptors, accepting pauses for 100 ms.
// Refused as malformed: Transfer-Encoding together with Content-Length, chunked in HTTP/1.0, several or bad
// Host headers (RFC 9112 sections 3.2, 6.1), absolute-form targets are reduced to their path.
#pragma once

#include "base/error.hpp"
#include "net/asio_loop.hpp"
#include "net/message.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::net {

struct server_tls {
    std::string cert_file;           // PEM, chain
    std::string key_file;            // PEM
    std::string min_version = "1.2"; // "1.0".."1.3"; below 1.2 for the sandbox's tests only
    std::string max_version = "1.3";
    std::string client_ca_file; // set: clients must show a certificate of this authority
};

struct listen_address {
    std::string text; // "host:port" (port 0: any; "[::1]:80"), "unix:/path", "unix:@abstract"
    unsigned unix_mode = 0660;
    std::string unix_group;           // name or number; empty: the process's group
    std::vector<unsigned> allow_uids; // Unix sockets: peers by SO_PEERCRED; empty lists allow everyone
    std::vector<unsigned> allow_gids;
    std::optional<server_tls> tls;
    int inherited_fd = -1; // a listening socket received from systemd; `text` is then for people only
};

struct server_settings {
    std::vector<listen_address> listen;
    std::size_t max_connections = 1024;
    std::size_t max_header_bytes = 16 * 1024;
    std::uint64_t max_body_bytes = 4 << 20;
    std::uint64_t body_pool_bytes = 32 << 20;
    std::chrono::milliseconds request_timeout{10'000};
    std::chrono::milliseconds idle_timeout{75'000};
};

class server {
  public:
    // Binds and listens; errors name the address and what to do (in use, no permission, stale socket is
    // replaced only when nobody answers on it). Serving begins with start().
    static result<std::unique_ptr<server>> open(asio_loop& owner, const server_settings& options,
                                                request_handler& handler);
    virtual ~server() = default;

    virtual void start() = 0;

    // The bound addresses, as a client would use them ("127.0.0.1:43121"), in the order of the settings.
    virtual std::vector<std::string> addresses() const = 0;

    // Other settings while it serves, in two steps, so that they are taken over together with others or not
    // at all. prepare() opens the addresses that are new, reads certificates, and changes nothing that is
    // served. apply() cannot fail. Addresses are known by their text: one that stays is not bound anew and
    // takes over allowed peers and TLS; mode and group of its file stay. One that is no more takes what is
    // queued in the kernel and closes; its connections stay until their next answer, which says Connection:
    // close. Bounds and times hold from the next request on. The sizes of head and body pool stay as they
    // were at open().
    class change {
      public:
        virtual ~change() = default;
    };
    virtual result<std::unique_ptr<change>> prepare(const server_settings& options) = 0;
    virtual void apply(std::unique_ptr<change> prepared) = 0;

    // Reading goes on after may_read() was false.
    virtual void resume() = 0;

    // Everything goes on, but every answer says Connection: close, unless its client has sent more already:
    // what comes before a stop() that nobody is to notice.
    virtual void wind_down() = 0;

    // Stops accepting, closes connections that have been idle for `grace`, lets requests in hand be answered
    // (with Connection: close; those that may_read() holds back wait for resume()) and then calls `stopped`.
    // Removes its Unix sockets from the file system (not inherited ones). Idempotent.
    virtual void stop(std::function<void()> stopped, std::chrono::milliseconds grace = {}) = 0;

    // Closes everything at once; `stopped` of a stop() under way is called.
    virtual void abort() = 0;

    virtual std::size_t connections() const = 0;
};

} // namespace linkrunner::net
