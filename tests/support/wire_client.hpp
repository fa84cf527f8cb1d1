// An HTTP/1.1 client for tests that talk to a whole program: builds requests, takes answers one by one, and
// says how a connection ended. On top of raw_client: every wait has its deadline.
#pragma once

#include "support/net_raw_client.hpp"

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <strings.h>
#include <utility>
#include <vector>

namespace linkrunner::tests {

using header_list = std::vector<std::pair<std::string, std::string>>;

// A whole request. Host and Content-Length are added unless given.
inline std::string request_text(std::string_view method, std::string_view target, std::string_view body = {},
                                const header_list& headers = {}) {
    std::string out = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
    bool host = false;
    bool framed = false;
    for (const auto& [name, value] : headers) {
        host = host || strcasecmp(name.c_str(), "host") == 0;
        framed = framed || strcasecmp(name.c_str(), "content-length") == 0 ||
                 strcasecmp(name.c_str(), "transfer-encoding") == 0;
        out += name + ": " + value + "\r\n";
    }
    if (!host) {
        out += "Host: localhost\r\n";
    }
    if (!framed && (!body.empty() || method == "POST" || method == "PUT")) {
        out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return out + "\r\n" + std::string(body);
}

struct http_answer : raw_answer {
    std::string header(const std::string& lower_name) const {
        const auto found = headers.find(lower_name);
        return found == headers.end() ? std::string() : found->second;
    }
};

class wire_client {
  public:
    enum class ending { eof, reset, timeout };

    // Throws std::runtime_error when it cannot connect.
    explicit wire_client(const std::string& address) : socket_(address) {}

    bool send(std::string_view bytes) { return socket_.try_send(bytes); } // false when the peer has closed
    void close() { socket_.close(); }
    void reset() { socket_.reset(); }

    // The next answer, 1xx ones too; nothing when the connection ended before it was whole.
    std::optional<http_answer> receive() {
        try {
            return http_answer{socket_.read_answer()};
        } catch (const std::exception& failure) {
            failure_ = failure.what();
            return std::nullopt;
        }
    }

    // As receive(), with an answer of status 0 and the reason as its body in place of nothing.
    http_answer exchange(std::string_view request) {
        send(request);
        auto answer = receive();
        if (!answer) {
            answer.emplace();
            answer->body = failure_;
        }
        return *answer;
    }

    // Reads until the peer ends the connection; says how.
    ending wait_for_end() {
        while (true) {
            pollfd watched{socket_.descriptor(), POLLIN, 0};
            constexpr std::chrono::milliseconds limit = raw_client::patience;
            if (::poll(&watched, 1, static_cast<int>(limit.count())) == 0) {
                return ending::timeout;
            }
            char piece[4096];
            const ssize_t size = ::recv(socket_.descriptor(), piece, sizeof piece, 0);
            if (size <= 0) {
                return size == 0 ? ending::eof : ending::reset;
            }
            rest_.append(piece, static_cast<std::size_t>(size));
        }
    }

    // What was read and not taken as an answer.
    std::string unread() const { return socket_.buffered() + rest_; }

  private:
    raw_client socket_;
    std::string rest_;
    std::string failure_;
};

} // namespace linkrunner::tests
