// A blocking socket for tests that speak HTTP byte by byte. Every wait has a deadline: a test fails, it does
// not hang.
#pragma once

#include <arpa/inet.h>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace linkrunner::tests {

struct raw_answer {
    int status = 0;
    std::map<std::string, std::string> headers; // names in lower case
    std::string body;
    std::string head; // as it came
};

class raw_client {
  public:
    using clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds patience{20};

    // "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:@abstract"
    explicit raw_client(const std::string& address) { connect_to(address); }
    explicit raw_client(int connected) : socket_(connected) {}
    raw_client(raw_client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), buffered_(std::move(other.buffered_)) {}
    raw_client& operator=(raw_client&&) = delete;
    ~raw_client() { close(); }

    int descriptor() const { return socket_; }
    const std::string& buffered() const { return buffered_; } // read, but not asked for yet

    // All of it, or an exception; `quietly`: false when the peer has gone.
    void send(std::string_view bytes) {
        if (!try_send(bytes)) {
            throw std::runtime_error(std::string("send: ") + std::strerror(errno));
        }
    }

    bool try_send(std::string_view bytes) {
        const auto deadline = clock::now() + patience;
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent > 0) {
                bytes.remove_prefix(static_cast<std::size_t>(sent));
            } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
                wait(POLLOUT, deadline);
            } else if (errno != EINTR) {
                return false;
            }
        }
        return true;
    }

    void shutdown_write() { ::shutdown(socket_, SHUT_WR); }

    void close() {
        if (socket_ >= 0) {
            ::close(std::exchange(socket_, -1));
        }
    }

    // Closes with a reset instead of an orderly end.
    void reset() {
        const linger now{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

    std::string read_exactly(std::size_t bytes) {
        while (buffered_.size() < bytes) {
            if (!fill()) {
                throw std::runtime_error("the stream ended after: " + buffered_);
            }
        }
        return take(bytes);
    }

    // Up to and with `mark`.
    std::string read_until(std::string_view mark) {
        std::size_t at = 0;
        while ((at = buffered_.find(mark)) == std::string::npos) {
            if (!fill()) {
                throw std::runtime_error("the stream ended after: " + buffered_);
            }
        }
        return take(at + mark.size());
    }

    // Whatever comes until the peer closes; a reset counts as the end.
    std::string read_to_end() {
        while (fill()) {
        }
        return std::exchange(buffered_, {});
    }

    bool ended() { return buffered_.empty() && !fill(); }

    // One answer, framed by Content-Length (or nothing for `head_only`, 1xx, 204 and 304).
    raw_answer read_answer(bool head_only = false) {
        raw_answer made;
        made.head = read_until("\r\n\r\n");
        made.status = std::stoi(made.head.substr(9, 3));
        std::size_t line = made.head.find("\r\n") + 2;
        while (line < made.head.size() - 2) {
            const auto end = made.head.find("\r\n", line);
            const auto colon = made.head.find(':', line);
            std::string name = made.head.substr(line, colon - line);
            for (char& c : name) {
                c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            }
            const auto value = made.head.find_first_not_of(' ', colon + 1);
            made.headers[name] = made.head.substr(value, end - value);
            line = end + 2;
        }
        if (!head_only && made.headers.contains("content-length")) {
            made.body = read_exactly(std::stoul(made.headers["content-length"]));
        }
        return made;
    }

  private:
    void connect_to(const std::string& address) {
        sockaddr_storage where{};
        socklen_t length = 0;
        if (address.starts_with("unix:")) {
            auto& local = reinterpret_cast<sockaddr_un&>(where);
            const std::string path = address.substr(5);
            local.sun_family = AF_UNIX;
            std::memcpy(local.sun_path, path.data(), path.size());
            if (path.starts_with('@')) {
                local.sun_path[0] = '\0';
            }
            length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                            (path.starts_with('@') ? 0 : 1));
        } else {
            const auto colon = address.rfind(':');
            const auto port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
            if (address.starts_with('[')) {
                auto& v6 = reinterpret_cast<sockaddr_in6&>(where);
                v6.sin6_family = AF_INET6;
                v6.sin6_port = port;
                ::inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &v6.sin6_addr);
                length = sizeof v6;
            } else {
                auto& v4 = reinterpret_cast<sockaddr_in&>(where);
                v4.sin_family = AF_INET;
                v4.sin_port = port;
                ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &v4.sin_addr);
                length = sizeof v4;
            }
        }
        socket_ = ::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&where), length) != 0) {
            const int why = errno;
            close();
            throw std::runtime_error("connect to " + address + ": " + std::strerror(why));
        }
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

    std::string take(std::size_t bytes) {
        std::string taken = buffered_.substr(0, bytes);
        buffered_.erase(0, bytes);
        return taken;
    }

    void wait(short events, clock::time_point deadline) const {
        pollfd asked{socket_, events, 0};
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
        if (left.count() <= 0 || ::poll(&asked, 1, static_cast<int>(left.count())) == 0) {
            throw std::runtime_error("nothing happened in time; read so far: " + buffered_);
        }
    }

    bool fill() {
        wait(POLLIN, clock::now() + patience);
        char bytes[16 * 1024];
        const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
        if (got <= 0) {
            return false;
        }
        buffered_.append(bytes, static_cast<std::size_t>(got));
        return true;
    }

    int socket_ = -1;
    std::string buffered_;
};

} // namespace linkrunner::tests
