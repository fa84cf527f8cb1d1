// The daemon under a service manager: sockets that it inherits and leaves to its successor, what it tells.
#include "support/daemon_test.hpp"
#include "support/datagram_inbox.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <thread>

namespace linkrunner::tests {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::MatchesRegex;

// A listening socket as a socket unit makes it: open over starts and stops of the daemon.
class unit_socket {
  public:
    explicit unit_socket(const std::string& path = "", in_addr_t address = INADDR_LOOPBACK) { // "": TCP
        const int made = ::socket(path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(address);
        sockaddr_un there{};
        there.sun_family = AF_UNIX;
        path.copy(there.sun_path, sizeof there.sun_path - 1);
        EXPECT_EQ(path.empty() ? ::bind(made, reinterpret_cast<sockaddr*>(&here), sizeof here)
                               : ::bind(made, reinterpret_cast<sockaddr*>(&there), sizeof there),
                  0);
        EXPECT_EQ(::listen(made, 4096), 0);
        constexpr int above_those_of_the_daemon = 100;
        number_ = ::fcntl(made, F_DUPFD, above_those_of_the_daemon); // inherited by children
        ::close(made);
    }
    ~unit_socket() { ::close(number_); }
    unit_socket(const unit_socket&) = delete;
    unit_socket& operator=(const unit_socket&) = delete;
    int number() const { return number_; }

  private:
    int number_ = -1;
};

class service_manager_of_the_daemon : public daemon_test {
  protected:
    // A program that starts the daemon with these sockets, each with its name.
    std::string program(const std::vector<std::pair<const unit_socket*, std::string>>& sockets) {
        std::string names, moves;
        for (std::size_t i = 0; i < sockets.size(); ++i) {
            names += (i == 0 ? "" : ":") + sockets[i].second;
            moves += " " + std::to_string(3 + i) + "<&" + std::to_string(sockets[i].first->number());
        }
        const std::string made = home.write(
            "start", "#!/bin/bash\nexport LISTEN_PID=$$ LISTEN_FDS=" + std::to_string(sockets.size()) +
                         " LISTEN_FDNAMES=" + names + "\nexec " + linkrunnerd + " \"$@\"" + moves + "\n");
        std::filesystem::permissions(made, std::filesystem::perms::owner_all);
        return made;
    }

    void start_with(const std::string& program,
                    std::vector<std::pair<std::string, std::string>> environment = {}) {
        if (!api) {
            start_sandbox();
        }
        daemon.reset();
        daemon = std::make_unique<running_daemon>(program, settings, std::move(environment));
    }

    std::string intake_path() const { return home / "unit.sock"; }
};

TEST_F(service_manager_of_the_daemon, passes_sockets_that_are_served_by_their_names) {
    const unit_socket tcp, local(intake_path()), observe, control(home / "unit-control.sock");
    start_with(program({{&control, "control"}, {&tcp, "intake"}, {&local, "intake"}, {&observe, "observe"}}));
    ASSERT_EQ(daemon->listeners().size(), 2U);
    EXPECT_THAT(daemon->listeners()[0], MatchesRegex("127\\.0\\.0\\.1:[0-9]+"));
    EXPECT_EQ(daemon->listeners()[1], "unix:" + intake_path());
    EXPECT_EQ(daemon->control_address(), "unix:" + (home / "unit-control.sock"));
    EXPECT_EQ(daemon->post(event_text("e", "u", "1"), "/v1/events", {}, 0).status, 202);
    EXPECT_EQ(daemon->post(event_text("e", "u", "2"), "/v1/events", {}, 1).status, 202);
    EXPECT_EQ(daemon->observe("/readyz").status, 200);
    EXPECT_EQ(daemon->control("GET", "/v1/status").status, 200);
    // The addresses that the configuration has are said to be of no use; and all files stay.
    for (const char* key : {"intake.listen", "observe.listen", "control.listen"}) {
        EXPECT_TRUE(daemon->wait_log(std::string(key) + " is not used: the service manager listens")) << key;
    }
    EXPECT_EQ(daemon->stop(), 0);
    stopped = true;
    EXPECT_TRUE(std::filesystem::exists(intake_path()));
    EXPECT_TRUE(std::filesystem::exists(home / "unit-control.sock"));
    EXPECT_FALSE(std::filesystem::exists(home / "intake.sock"));
}

TEST_F(service_manager_of_the_daemon, passes_a_socket_of_a_name_that_nothing_is_known_by) {
    start_sandbox();
    const unit_socket tcp;
    const auto [code, output] = run(daemon_command(program({{&tcp, "inteak"}}), settings));
    EXPECT_EQ(code, 78);
    EXPECT_THAT(output, HasSubstr("must be intake, observe or control"));
    EXPECT_FALSE(std::filesystem::exists(home / "spool")); // it was not even opened
    EXPECT_EQ(run(daemon_command(program({{&tcp, "control"}}), settings)).first, 78);
}

TEST_F(service_manager_of_the_daemon, guards_its_sockets_as_the_configuration_says) {
    const unit_socket local(intake_path());
    start_sandbox();
    settings["intake.allow_uids"] = "4000000";
    start_with(program({{&local, "linkrunnerd.socket"}}));
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 403);
}

TEST_F(service_manager_of_the_daemon, lets_nobody_post_without_the_token_on_a_socket_that_others_reach) {
    const unit_socket open("", INADDR_ANY);
    start_sandbox();
    settings.erase("intake.listen"); // the configuration has no listener that needs a token
    start_with(program({{&open, "intake"}}));
    const std::string address = daemon->listeners().at(0);
    EXPECT_THAT(address, testing::StartsWith("0.0.0.0:"));
    const auto answer = wire_client("127.0.0.1" + address.substr(address.find(':')))
                            .exchange(request_text("POST", "/v1/events", event_text("e", "u"),
                                                   {{"Content-Type", "application/json"}}));
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(code_of(answer), "wrong_token");
}

// Clients that post one event after the other, each once.
class posting_clients {
  public:
    posting_clients(std::vector<std::string> addresses, bool keep_alive) {
        for (const std::string& address : addresses) {
            threads_.emplace_back([this, address, keep_alive] { post(address, keep_alive); });
        }
    }
    void end() {
        ending_ = true;
        for (std::thread& each : threads_) {
            each.join();
        }
        threads_.clear();
    }
    std::atomic<std::uint64_t> answered{0};
    std::atomic<int> failed{0};

  private:
    void post(const std::string& address, bool keep_alive) {
        std::optional<wire_client> kept;
        while (!ending_) {
            try {
                if (!kept) {
                    kept.emplace(address);
                }
                const auto answer = kept->exchange(request_text("POST", "/v1/events", event_text("e", "u"),
                                                                {{"Content-Type", "application/json"}}));
                answered += answer.status == 202 ? 1 : 0;
                failed += answer.status == 202 ? 0 : 1;
                if (!keep_alive || answer.header("connection") == "close") {
                    kept.reset();
                }
            } catch (const std::exception&) {
                ++failed;
                kept.reset();
            }
        }
    }
    std::vector<std::thread> threads_;
    std::atomic<bool> ending_{false};
};

TEST_F(service_manager_of_the_daemon, starts_a_successor_and_no_request_is_refused) {
    const unit_socket tcp, local(intake_path());
    start_sandbox();
    settings["delivery.rate"] = "100/s"; // a backlog: deliveries go on to the end of the drain time
    const std::string starter = program({{&tcp, "intake"}, {&local, "intake"}});
    start_with(starter);
    posting_clients kept(daemon->listeners(), true), fresh(daemon->listeners(), false);
    for (int round = 0; round < 3; ++round) {
        const std::uint64_t before = kept.answered + fresh.answered;
        EXPECT_TRUE(daemon->wait_until([&](auto&) { return kept.answered + fresh.answered > before + 200; }));
        EXPECT_EQ(daemon->stop(), 0);
        start_with(starter);
    }
    kept.end();
    fresh.end();
    EXPECT_EQ(kept.failed, 0);
    EXPECT_EQ(fresh.failed, 0);
    EXPECT_EQ(daemon->ledger("accepted"), kept.answered + fresh.answered);
}

TEST_F(service_manager_of_the_daemon, has_whoever_is_connected_served_before_the_daemon_ends) {
    const unit_socket tcp;
    start_with(program({{&tcp, "intake"}}));
    wire_client kept = daemon->connect(), silent = daemon->connect();
    const auto post = [](const std::string& id, const std::string& more = "") {
        return request_text("POST", "/v1/events" + more, event_text("e", "u", id),
                            {{"Content-Type", "application/json"}});
    };
    EXPECT_EQ(kept.exchange(post("1")).status, 202);
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_log("stopping"));
    const auto began = steady_clock::now();
    EXPECT_EQ(daemon->observe("/readyz").status, 503);
    const http_answer last = kept.exchange(post("2", "?wait=delivered"));
    EXPECT_EQ(last.status, 202);
    EXPECT_EQ(text_at(last, "/data/outcome"), "pending");
    EXPECT_EQ(last.header("connection"), "close");
    kept.close();
    EXPECT_EQ(silent.wait_for_end(), wire_client::ending::eof);
    EXPECT_EQ(daemon->child().wait_exit(), 0);
    EXPECT_LT(steady_clock::now() - began, seconds(5));
    stopped = true;
}

TEST_F(service_manager_of_the_daemon, hears_how_it_fares) {
    const datagram_inbox manager(home / "notify");
    start_sandbox();
    start({}, {{"NOTIFY_SOCKET", home / "notify"}, {"WATCHDOG_USEC", "100000"}});
    const auto hears = [&](const std::string& pattern) {
        const auto end = steady_clock::now() + patience;
        while (steady_clock::now() < end) {
            if (testing::Value(manager.wait_next(), MatchesRegex(pattern))) {
                return true;
            }
        }
        return false;
    };
    EXPECT_TRUE(hears("STATUS=opening the spool in .*"));
    EXPECT_TRUE(hears("READY=1\nSTATUS=healthy: 0 waiting, .*"));
    EXPECT_TRUE(hears("WATCHDOG=1\n"));
    EXPECT_TRUE(hears("WATCHDOG=1\n"));
    daemon->post(event_text("e", "u", "1"));
    EXPECT_TRUE(hears("STATUS=healthy: 0 waiting, 20000/s, 1 delivered in the last minute\n"));
    api->set_key("another");
    daemon->post(event_text("e", "u", "2"));
    EXPECT_TRUE(hears("STATUS=held_unauthorized: 1 waiting; 401 .*"));
    daemon->child().signal(SIGTERM);
    EXPECT_TRUE(hears("STOPPING=1\n.*"));
}

TEST_F(service_manager_of_the_daemon, that_has_no_watchdog_hears_of_none) {
    const datagram_inbox manager(home / "notify");
    start({}, {{"NOTIFY_SOCKET", home / "notify"}});
    daemon->post(event_text("e", "u", "1"));
    EXPECT_EQ(daemon->stop(), 0);
    stopped = true;
    std::string all;
    for (std::string each = manager.next(); !each.empty(); each = manager.next()) {
        all += each;
    }
    EXPECT_THAT(all, HasSubstr("READY=1"));
    EXPECT_THAT(all, testing::Not(HasSubstr("WATCHDOG")));
}

} // namespace
} // namespace linkrunner::tests
