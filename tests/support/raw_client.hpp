// A blocking HTTP/1.1 client over TCP or a Unix socket that sends exactly the bytes it is given and shows
// exactly what comes back. Every wait has a deadline. For tests; throws std::system_error when it cannot
// connect.
#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace linkrunner::test {

using std::chrono::milliseconds;

struct http_answer {
    int status = 0;
    std::string reason;
    std::map<std::string, std::string> headers; // names in lower case
    std::string body;

    std::string header(const std::string& lower_name) const {
        const auto found = headers.find(lower_name);
        return found == headers.end() ? std::string() : found->second;
    }
};

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

class raw_client {
  public:
    enum class ending { open, eof, reset, timeout };

    // "127.0.0.1:8080", "[::1]:8080", "unix:/path", "unix:@abstract"
    explicit raw_client(const std::string& address) {
        if (address.starts_with("unix:")) {
            connect_unix(address.substr(5));
        } else {
            connect_tcp(address);
        }
    }
    raw_client(raw_client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), buffer_(std::move(other.buffer_)),
          ending_(other.ending_) {}
    raw_client& operator=(raw_client&&) = delete;
    ~raw_client() { close(); }

    void close() {
        if (socket_ >= 0) {
            ::close(std::exchange(socket_, -1));
        }
    }

    void shutdown_write() { ::shutdown(socket_, SHUT_WR); }

    // False when the peer has closed.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) {
                if (errno == EINTR) {
                    continue;
                }
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    // The next answer, 1xx ones too; nothing when the connection ended or the time is up before it was whole.
    std::optional<http_answer> receive(milliseconds limit = milliseconds(20'000)) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (true) {
            if (auto answer = take_answer()) {
                return answer;
            }
            if (!fill(deadline)) {
                return std::nullopt;
            }
        }
    }

    std::optional<http_answer> exchange(std::string_view request, milliseconds limit = milliseconds(20'000)) {
        send(request);
        return receive(limit);
    }

    // Reads until the peer ends the connection; says how.
    ending wait_for_end(milliseconds limit = milliseconds(20'000)) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (fill(deadline)) {
        }
        return ending_;
    }

    // What was read and not taken as an answer.
    const std::string& unread() const { return buffer_; }
    ending how_ended() const { return ending_; }

  private:
    void connect_unix(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::size_t size = std::min(path.size(), sizeof address.sun_path - 1);
        std::memcpy(address.sun_path, path.data(), size);
        socklen_t length = sizeof address;
        if (path.starts_with('@')) {
            address.sun_path[0] = '\0';
            length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
        }
        connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), length, path);
    }

    void connect_tcp(const std::string& text) {
        const std::size_t colon = text.rfind(':');
        const auto port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))));
        if (text.front() == '[') {
            sockaddr_in6 address{};
            address.sin6_family = AF_INET6;
            address.sin6_port = port;
            ::inet_pton(AF_INET6, text.substr(1, colon - 2).c_str(), &address.sin6_addr);
            connect_to(AF_INET6, reinterpret_cast<const sockaddr*>(&address), sizeof address, text);
        } else {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = port;
            ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr);
            connect_to(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address, text);
        }
    }

    void connect_to(int family, const sockaddr* address, socklen_t length, const std::string& name) {
        socket_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (socket_ < 0 || ::connect(socket_, address, length) != 0) {
            const int failure = errno;
            close();
            throw std::system_error(failure, std::generic_category(), "connect to " + name);
        }
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // no matter on a Unix socket
    }

    bool fill(std::chrono::steady_clock::time_point deadline) {
        if (ending_ == ending::eof || ending_ == ending::reset) {
            return false;
        }
        const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd watched{socket_, POLLIN, 0};
        const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
        if (ready == 0) {
            ending_ = ending::timeout;
            return false;
        }
        char piece[65536];
        const ssize_t size = ::recv(socket_, piece, sizeof piece, 0);
        if (size > 0) {
            ending_ = ending::open;
            buffer_.append(piece, static_cast<std::size_t>(size));
            return true;
        }
        if (size < 0 && errno == EINTR) {
            return true;
        }
        ending_ = size == 0 ? ending::eof : ending::reset;
        return false;
    }

    std::optional<http_answer> take_answer() {
        const std::size_t end = buffer_.find("\r\n\r\n");
        if (end == std::string::npos || !buffer_.starts_with("HTTP/1.")) {
            return std::nullopt;
        }
        http_answer out;
        out.status = std::atoi(buffer_.c_str() + 9);
        std::size_t at = buffer_.find("\r\n") + 2;
        out.reason = at > 15 ? buffer_.substr(13, at - 15) : std::string();
        while (at < end + 2) {
            const std::size_t stop = buffer_.find("\r\n", at);
            const std::size_t colon = buffer_.find(':', at);
            std::string name = buffer_.substr(at, colon - at);
            for (char& c : name) {
                c = static_cast<char>(std::tolower(c));
            }
            const std::size_t value = buffer_.find_first_not_of(' ', colon + 1);
            out.headers[name] = buffer_.substr(value, stop - value);
            at = stop + 2;
        }
        const std::string length = out.header("content-length");
        const std::size_t size = length.empty() ? 0 : std::stoul(length);
        if (buffer_.size() < end + 4 + size) {
            return std::nullopt;
        }
        out.body = buffer_.substr(end + 4, size);
        buffer_.erase(0, end + 4 + size);
        return out;
    }

    int socket_ = -1;
    std::string buffer_;
    ending ending_ = ending::open;
};

} // namespace linkrunner::test
