// Requests to a running linkrunnerd over its control socket. Blocking, one thread. Failures are thrown as
// ctl::failure, in words that say what to do.
#pragma once

#include "ctl/failure.hpp"
#include "net/caller.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace linkrunner::ctl {

inline constexpr const char* usual_socket = "/run/linkrunnerd/control.sock"; // control.listen

class session {
  public:
    // A path, or "unix:" and a path.
    explicit session(const std::string& socket);

    // The `data` of the answer's envelope.
    boost::json::value get(const std::string& target);
    boost::json::value post(const std::string& target, const boost::json::value& body = nullptr);

    // The text of the last answer's data as the daemon sent it: numbers are not rewritten.
    const std::string& raw() const { return raw_; }

    // The answer as it is, of any status.
    net::called ask(const net::call& request);

    // An answer that goes on, line by line; nothing at its end.
    void follow(const std::string& target);
    std::optional<std::string> next_line();

    const std::string& socket() const { return path_; }

  private:
    boost::json::value data_of(const net::called& answer);

    std::string path_;
    std::string raw_;
    std::unique_ptr<net::caller> daemon_;
};

// Why the control socket cannot be used, and what to do about it.
std::string words_for_unreachable(const std::string& path, const std::error_code& why);

// "/v1/dead" and {{"reason", "a b"}} -> "/v1/dead?reason=a%20b"; fields without a value are left out.
std::string with_query(std::string_view path, const std::vector<std::pair<std::string, std::string>>& fields);

} // namespace linkrunner::ctl
