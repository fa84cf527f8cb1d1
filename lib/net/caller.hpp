// A blocking HTTP/1.1 client for command-line programs: one connection to a Unix socket or a TCP address,
// without TLS, kept open from request to request. Any one thread. The daemon itself uses net/client.hpp.
//
// Errors carry the system's code: no_such_file_or_directory, connection_refused, permission_denied while
// connecting; timed_out; connection_reset when the peer has gone; protocol_error for what is no HTTP answer.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linkrunner::net {

struct call {
    std::string method = "GET";
    std::string target = "/"; // path and query
    std::vector<std::pair<std::string, std::string>> headers;
    std::string content_type = "application/json"; // of a body
    std::string body;
};

struct called {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    std::string header(std::string_view name) const; // "" where absent; without regard to case
};

class caller {
  public:
    // "unix:/path", "unix:@name", "host:port" or "http://host[:port][/base path]".
    static result<std::unique_ptr<caller>> connect(const std::string& address,
                                                   std::chrono::milliseconds timeout);
    virtual ~caller() = default;

    // One request and its whole answer. After an error, and after an answer that closes the connection, the
    // next one connects anew. Nothing is sent twice.
    virtual result<called> exchange(const call& request, std::chrono::milliseconds timeout) = 0;

    // The same, but of an answer with status 200 only the head is read; its body then comes from next_line().
    virtual result<called> begin(const call& request, std::chrono::milliseconds timeout) = 0;
    // The next line without its end, however long it takes; nothing at the end of the answer.
    virtual result<std::optional<std::string>> next_line() = 0;
};

} // namespace linkrunner::net
