// The protocols of sd_notify(3) and sd_listen_fds(3).
#include "net/activation.hpp"
#include "net/notify.hpp"
#include "support/temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace linkrunner::net {
namespace {

class manager_socket {
  public:
    explicit manager_socket(const std::string& address) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        address.copy(where.sun_path, sizeof where.sun_path - 1);
        if (address.starts_with('@')) {
            where.sun_path[0] = '\0';
        }
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&where), length), 0);
    }
    ~manager_socket() { ::close(socket_); }
    manager_socket(const manager_socket&) = delete;
    manager_socket& operator=(const manager_socket&) = delete;

    std::string next() const { // what was sent lies there already
        char bytes[512];
        const auto got = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
        return got < 0 ? "" : std::string(bytes, static_cast<std::size_t>(got));
    }
    int descriptor() const { return socket_; }

  private:
    int socket_;
};

class service_manager : public ::testing::Test {
  protected:
    ~service_manager() override {
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
            ::unsetenv(name);
        }
    }
};

TEST_F(service_manager, is_told_over_a_path_or_an_abstract_name) {
    tests::temp_directory directory;
    for (const auto& address : {directory / "notify", "@linkrunner-notify-" + std::to_string(::getpid())}) {
        const manager_socket manager(address);
        ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
        const auto teller = notifier::from_environment();
        EXPECT_TRUE(teller.active());
        teller.ready("serves on 127.0.0.1:7417");
        EXPECT_EQ(manager.next(), "READY=1\nSTATUS=serves on 127.0.0.1:7417\n");
        teller.status("two\nlines");
        EXPECT_EQ(manager.next(), "STATUS=two lines\n");
        teller.watchdog();
        EXPECT_EQ(manager.next(), "WATCHDOG=1\n");
        teller.reloading("reads");
        EXPECT_THAT(manager.next(),
                    testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+\nSTATUS=reads\n"));
        teller.stopping("drains");
        EXPECT_EQ(manager.next(), "STOPPING=1\nSTATUS=drains\n");
    }
}

TEST_F(service_manager, is_not_needed) {
    ::unsetenv("NOTIFY_SOCKET");
    const auto none = notifier::from_environment();
    EXPECT_FALSE(none.active());
    none.ready("nobody listens");
    notifier("/no/such/socket").ready("nobody listens");
    notifier("@").watchdog();
    notifier(std::string(200, 'p')).watchdog();
}

TEST_F(service_manager, that_does_not_read_does_not_hold_us_up) {
    const std::string address = "@linkrunner-full-" + std::to_string(::getpid());
    const manager_socket manager(address);
    const notifier teller(address);
    for (int i = 0; i < 10'000; ++i) {
        teller.watchdog();
    }
    EXPECT_EQ(manager.next(), "WATCHDOG=1\n");
}

TEST_F(service_manager, watches_only_the_process_it_means) {
    EXPECT_FALSE(watchdog_interval());
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(watchdog_interval(), std::chrono::seconds(30));
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    EXPECT_EQ(watchdog_interval(), std::chrono::seconds(30));
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_FALSE(watchdog_interval());
    ::unsetenv("WATCHDOG_PID");
    ::setenv("WATCHDOG_USEC", "soon", 1);
    EXPECT_FALSE(watchdog_interval());
}

// In a process of its own, whose descriptors from 3 on are the test's to choose.
int in_child(void (*body)()) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(0, 3);
        ::dup2(0, 4);
        ::close(5);
        body();
        ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

TEST_F(service_manager, passes_sockets_with_their_names_once) {
    EXPECT_EQ(in_child([] {
                  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
                  ::setenv("LISTEN_FDS", "3", 1); // the third does not exist
                  ::setenv("LISTEN_FDNAMES", "intake.socket::more", 1);
                  const auto taken = take_inherited_sockets();
                  ASSERT_EQ(taken.size(), 2u);
                  EXPECT_EQ(taken[0].descriptor, 3);
                  EXPECT_EQ(taken[0].name, "intake.socket");
                  EXPECT_EQ(taken[1].descriptor, 4);
                  EXPECT_EQ(taken[1].name, "unknown");
                  EXPECT_EQ(::fcntl(3, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
                  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr);
                  EXPECT_TRUE(take_inherited_sockets().empty());
              }),
              0);
}

TEST_F(service_manager, passes_nothing_that_was_meant_for_another_process) {
    EXPECT_EQ(in_child([] {
                  ::setenv("LISTEN_PID", "1", 1);
                  ::setenv("LISTEN_FDS", "2", 1);
                  EXPECT_TRUE(take_inherited_sockets().empty());
              }),
              0);
}

} // namespace
} // namespace linkrunner::net
