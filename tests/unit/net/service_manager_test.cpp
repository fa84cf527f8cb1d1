// The protocols of sd_notify(3) and sd_listen_fds(3).
#include "net/activation.hpp"
#include "net/notify.hpp"
#include "support/datagram_inbox.hpp"
#include "support/temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace linkrunner::net {
namespace {

using manager_socket = tests::datagram_inbox;

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

TEST_F(service_manager, passes_sockets_whose_addresses_are_told) {
    EXPECT_EQ(in_child([] {
                  const tests::temp_directory directory;
                  const std::string path = directory / "s";
                  sockaddr_un there{};
                  there.sun_family = AF_UNIX;
                  path.copy(there.sun_path, sizeof there.sun_path - 1);
                  sockaddr_in here{};
                  here.sin_family = AF_INET;
                  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                  const int tcp = ::socket(AF_INET, SOCK_STREAM, 0),
                            local = ::socket(AF_UNIX, SOCK_STREAM, 0);
                  ASSERT_EQ(::bind(tcp, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
                  ASSERT_EQ(::bind(local, reinterpret_cast<sockaddr*>(&there), sizeof there), 0);
                  ::dup2(tcp, 3);
                  ::dup2(local, 4);
                  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
                  ::setenv("LISTEN_FDS", "2", 1);
                  const auto taken = take_inherited_sockets();
                  ASSERT_EQ(taken.size(), 2u);
                  EXPECT_THAT(taken[0].address, testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+"));
                  EXPECT_FALSE(taken[0].is_unix());
                  EXPECT_EQ(taken[1].address, "unix:" + path);
                  EXPECT_TRUE(taken[1].is_unix());
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
