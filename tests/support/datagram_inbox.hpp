// A Unix datagram socket that a test reads: stands for the service manager or the journal.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace linkrunner::tests {

class datagram_inbox {
  public:
    // A path, or "@name" for one that is abstract.
    explicit datagram_inbox(const std::string& address)
        : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        address.copy(where.sun_path, sizeof where.sun_path - 1);
        if (address.starts_with('@')) {
            where.sun_path[0] = '\0';
        }
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&where), length), 0);
    }
    ~datagram_inbox() { ::close(socket_); }
    datagram_inbox(const datagram_inbox&) = delete;
    datagram_inbox& operator=(const datagram_inbox&) = delete;

    // What lies there already; "" when nothing does.
    std::string next() const { return receive(MSG_DONTWAIT); }

    // Waits for it; "" when the time is up.
    std::string wait_next(int milliseconds = 30'000) const {
        pollfd watched{socket_, POLLIN, 0};
        return ::poll(&watched, 1, milliseconds) == 1 ? receive(MSG_DONTWAIT) : std::string();
    }

  private:
    std::string receive(int flags) const {
        std::string bytes(65536, '\0');
        const auto got = ::recv(socket_, bytes.data(), bytes.size(), flags);
        bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return bytes;
    }
    int socket_;
};

} // namespace linkrunner::tests
