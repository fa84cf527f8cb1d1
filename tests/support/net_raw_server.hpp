// A listening socket for tests that play the server byte by byte. Every wait has a deadline.
#pragma once

#include "support/net_raw_client.hpp"

#include <cctype>
#include <string>

namespace linkrunner::tests {

class raw_server {
  public:
    // `backlog` 0 with a full queue makes a peer that never takes a connection. `narrow`: what it has not
    // read stays at its caller, but for some kilobytes (small segments and buffers make for a small window).
    explicit raw_server(const std::string& host = "127.0.0.1", int backlog = 128, bool narrow = false) {
        const bool v6 = host.find(':') != std::string::npos;
        sockaddr_storage where{};
        socklen_t length = 0;
        if (v6) {
            auto& address = reinterpret_cast<sockaddr_in6&>(where);
            address.sin6_family = AF_INET6;
            ::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr);
            length = sizeof address;
        } else {
            auto& address = reinterpret_cast<sockaddr_in&>(where);
            address.sin_family = AF_INET;
            ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
            length = sizeof address;
        }
        socket_ = ::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (narrow) {
            const int segment = 536, buffer = 4096;
            ::setsockopt(socket_, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        }
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&where), length) != 0 ||
            ::listen(socket_, backlog) != 0) {
            throw std::runtime_error("listen on " + host + ": " + std::strerror(errno));
        }
        length = sizeof where;
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&where), &length);
        port_ = ntohs(v6 ? reinterpret_cast<const sockaddr_in6&>(where).sin6_port
                         : reinterpret_cast<const sockaddr_in&>(where).sin_port);
        address_ = (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port_);
    }
    ~raw_server() { close(); }
    raw_server(const raw_server&) = delete;
    raw_server& operator=(const raw_server&) = delete;

    std::uint16_t port() const { return port_; }
    const std::string& address() const { return address_; }

    bool has_caller(std::chrono::milliseconds within) const {
        pollfd asked{socket_, POLLIN, 0};
        return ::poll(&asked, 1, static_cast<int>(within.count())) == 1;
    }

    raw_client accept() const {
        if (!has_caller(raw_client::patience)) {
            throw std::runtime_error("nobody called " + address_);
        }
        return raw_client(::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC));
    }

    void close() {
        if (socket_ >= 0) {
            ::close(std::exchange(socket_, -1));
        }
    }

  private:
    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::string address_;
};

// Reads one request (head and sized body) as a server and returns it whole.
inline std::string read_request(raw_client& peer) {
    std::string head = peer.read_until("\r\n\r\n");
    std::string lower = head;
    for (char& c : lower) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    const auto length = lower.find("content-length: ");
    if (length != std::string::npos) {
        head += peer.read_exactly(std::stoul(lower.substr(length + 16)));
    }
    return head;
}

} // namespace linkrunner::tests
