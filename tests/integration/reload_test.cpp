// SIGHUP: a changed file is taken over whole or not at all, and nobody notices.
#include "support/daemon_test.hpp"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

constexpr const char* taken_over = "configuration reloaded";
constexpr const char* refused =
    "the configuration was not reloaded: it has mistakes, and the old one stays in force";

class reload : public daemon_test {
  protected:
    // Replaced by rename, as editors and Kubernetes do it. What the file says is not set otherwise.
    void write(const std::string& yaml) {
        home.write("new.yaml", yaml);
        std::filesystem::rename(home / "new.yaml", home / "linkrunnerd.yaml");
    }
    running_daemon& start_with(const std::string& yaml, std::initializer_list<const char*> in_file = {},
                               std::vector<std::pair<std::string, std::string>> environment = {}) {
        if (!api) {
            start_sandbox();
        }
        write(yaml);
        settings["--config"] = home / "linkrunnerd.yaml";
        for (const char* key : in_file) {
            settings.erase(key);
        }
        return start({}, std::move(environment));
    }

    // The line of the log that this SIGHUP leads to.
    std::string reload_with(const std::string& yaml, const std::string& message = taken_over) {
        write(yaml);
        seen_ = daemon->child().line_count();
        daemon->child().signal(SIGHUP);
        return line(message);
    }
    // A line of the log after the last reload.
    std::string line(const std::string& message) {
        return daemon->child()
            .wait_line(
                [&](const std::string& each) {
                    return each.find("\"msg\":\"" + message + "\"") != each.npos;
                },
                patience, seen_)
            .value_or("");
    }

  private:
    std::size_t seen_ = 0;
};

// Posts one event after the other from its own thread, each on a connection of its own or all on one, until
// it is stopped. Every answer must be a success.
class poster {
  public:
    poster(std::string address, bool keep_alive)
        : address_(std::move(address)), thread_([this, keep_alive] { run(keep_alive); }) {}
    ~poster() { stop(); }
    poster(const poster&) = delete;
    poster& operator=(const poster&) = delete;

    void stop() {
        stopping_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    std::uint64_t accepted() const { return accepted_; }

  private:
    void run(bool keep_alive) {
        auto client = std::make_unique<wire_client>(address_);
        while (!stopping_) {
            const std::string event = event_text("e", "u" + std::to_string(accepted_ % 50));
            const http_answer answer = client->exchange(
                request_text("POST", "/v1/events", event, {{"Content-Type", "application/json"}}));
            if (answer.status != 202) {
                ADD_FAILURE() << "after " << accepted_ << " events: " << answer.status << " " << answer.body;
                return;
            }
            ++accepted_;
            if (!keep_alive) {
                client = std::make_unique<wire_client>(address_);
            }
        }
    }

    std::string address_;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::uint64_t> accepted_ = 0;
    std::thread thread_;
};

TEST_F(reload, of_another_rate_under_load_loses_nothing) {
    start_with("delivery: {rate: 30/s}", {"delivery.rate", "delivery.burst"});
    poster load(daemon->listeners()[0], true);
    ASSERT_TRUE(daemon->wait_until([&](running_daemon&) { return load.accepted() > 200; }));
    EXPECT_THAT(reload_with("delivery: {rate: 20000/s, burst: 1000}"),
                HasSubstr("delivery.rate, delivery.burst"));
    EXPECT_THAT(line("configuration changed"),
                HasSubstr(R"("key":"delivery.rate","from":"30/s","to":"20000/s")"));
    ASSERT_TRUE(daemon->wait_until([&](running_daemon&) { return load.accepted() > 600; }));
    reload_with("delivery: {rate: 10000/s}");
    load.stop();
    EXPECT_TRUE(daemon->wait_ledger("delivered", load.accepted()));
    EXPECT_EQ(api->unique(), load.accepted());
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(api->sums().requests, load.accepted());
    EXPECT_EQ(daemon->metric("linkrunnerd_rate_limit_current"), 10000);
}

TEST_F(reload, adds_and_removes_listeners_without_refusing_a_request) {
    const std::string unix_a = "unix:" + (home / "a.sock");
    const std::string unix_b = "unix:" + (home / "b.sock");
    const auto listening = [](const std::string& more) {
        return "intake: {listen: [\"127.0.0.1:0\", \"" + more + "\"]}";
    };
    start_with(listening(unix_a), {"intake.listen"});
    poster one_by_one(daemon->listeners()[0], false);
    poster kept(daemon->listeners()[0], true);
    wire_client on_a(unix_a);
    const std::string request =
        request_text("POST", "/v1/events", event_text("e", "u"), {{"Content-Type", "application/json"}});
    EXPECT_EQ(on_a.exchange(request).status, 202);
    std::uint64_t through_new = 0;
    for (int round = 0; round < 10; ++round) {
        reload_with(listening(round % 2 == 0 ? unix_b : unix_a));
        EXPECT_EQ(wire_client(round % 2 == 0 ? unix_b : unix_a).exchange(request).status, 202);
        ++through_new;
        EXPECT_THROW(wire_client(round % 2 == 0 ? unix_a : unix_b), std::exception);
        if (round == 0) {
            const http_answer last = on_a.exchange(request);
            EXPECT_EQ(last.status, 202);
            EXPECT_EQ(last.header("connection"), "close");
        }
    }
    one_by_one.stop();
    kept.stop();
    EXPECT_GT(one_by_one.accepted(), 10U);
    const std::uint64_t all = one_by_one.accepted() + kept.accepted() + through_new + 2;
    EXPECT_TRUE(daemon->wait_ledger("delivered", all));
}

TEST_F(reload, is_told_to_the_service_manager_from_beginning_to_end) {
    const std::string path = home / "notify";
    const int manager = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    ASSERT_EQ(::bind(manager, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    start_with("log: {level: info}", {}, {{"NOTIFY_SOCKET", path}});
    reload_with("log: {level: debug}");
    std::string told; // READY=1 of the start, RELOADING=1, READY=1
    while (told.find("RELOADING") == std::string::npos || told.rfind("READY=1") < told.find("RELOADING")) {
        pollfd watched{manager, POLLIN, 0};
        ASSERT_EQ(::poll(&watched, 1, 30'000), 1) << told;
        char bytes[512];
        told.append(bytes, static_cast<std::size_t>(::recv(manager, bytes, sizeof bytes, 0)));
    }
    EXPECT_THAT(told, HasSubstr("RELOADING=1\nMONOTONIC_USEC="));
    ::close(manager);
}

TEST_F(reload, of_a_file_with_mistakes_names_them_all_and_changes_nothing) {
    start_with("delivery:\n  rate: 30/s\n", {"delivery.rate"});
    const std::string line =
        reload_with("delivery:\n  rate: 10/s\n  bursts: 3\nintake:\n  drop_in_status: 500\n", refused);
    EXPECT_THAT(line, HasSubstr("linkrunnerd.yaml:3:3: unknown key 'delivery.bursts'; did you mean"));
    EXPECT_THAT(line, HasSubstr("linkrunnerd.yaml:5:19: "));
    EXPECT_THAT(line, HasSubstr("\"level\":\"error\""));
    EXPECT_EQ(daemon->metric("linkrunnerd_config_reload_success"), 0);
    const auto state = daemon->status().at("configuration");
    EXPECT_EQ(state.at("reload_success"), false);
    EXPECT_EQ(state.at("problems").as_array().size(), 2U);
    EXPECT_EQ(daemon->metric("linkrunnerd_rate_limit_current"), 30);
    reload_with("delivery:\n  rate: 10/s\n");
    EXPECT_EQ(daemon->status().at("configuration").at("problems").as_array().size(), 0U);
    EXPECT_EQ(daemon->metric("linkrunnerd_config_reload_success"), 1);
    EXPECT_EQ(daemon->metric("linkrunnerd_rate_limit_current"), 10);
}

TEST_F(reload, changes_nothing_when_an_address_cannot_be_had) {
    start_sandbox();
    const std::string taken = api->url().substr(7, api->url().find('/', 7) - 7);
    start_with("delivery: {rate: 30/s}\nintake: {listen: [\"127.0.0.1:0\"]}",
               {"delivery.rate", "intake.listen"});
    EXPECT_THAT(reload_with("delivery: {rate: 10/s}\nintake: {listen: [\"127.0.0.1:0\", \"" + taken + "\"]}",
                            refused),
                HasSubstr("another process uses this port"));
    EXPECT_EQ(daemon->metric("linkrunnerd_rate_limit_current"), 30);
    reload_with("delivery: {rate: 10/s}\nupstream: {ca_file: /none.pem}", refused);
    EXPECT_EQ(daemon->metric("linkrunnerd_rate_limit_current"), 30);
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
}

TEST_F(reload, says_which_keys_wait_for_a_restart_and_takes_over_the_others) {
    start_with("log: {level: info}", {"spool.directory"}, {{"STATE_DIRECTORY", home / "spool"}});
    const std::string other = home / "elsewhere";
    reload_with("spool: {directory: " + other + ", sync: never}\nintake: {drop_in_status: 200}");
    EXPECT_THAT(line("some of the changed keys need a restart"),
                HasSubstr("\"keys\":\"spool.directory, spool.sync\""));
    EXPECT_THAT(line("configuration change waits for a restart"), HasSubstr("\"to\":\"" + other + "\""));
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/api/v1/capture-event").status, 200);
    EXPECT_FALSE(std::filesystem::exists(other));
    const auto state = daemon->status().at("configuration");
    EXPECT_EQ(boost::json::serialize(state.at("restart_needed")), R"(["spool.directory","spool.sync"])");
    EXPECT_EQ(state.at("reload_success"), true);
    EXPECT_EQ(daemon->metric("linkrunnerd_config_reload_success"), 1);
}

TEST_F(reload, of_another_url_sends_what_waits_there_and_ends_what_is_under_way_here) {
    start_sandbox();
    const auto second = sandbox::background::start(keyed(), sandbox::background::any_port()).value();
    api->add_faults("name=slow delay=1s");
    const auto url_of = [](const auto& which) { return "upstream: {url: \"" + which->url() + "\"}"; };
    start_with(url_of(api), {"upstream.url"});
    EXPECT_EQ(daemon->post(event_text("slow", "u1")).status, 202);
    ASSERT_TRUE(daemon->wait_until([](running_daemon& self) {
        return self.status().at("upstream").at("in_flight").to_number<int>() == 1;
    }));
    reload_with(url_of(second));
    EXPECT_EQ(daemon->post(event_text("e", "u2")).status, 202);
    EXPECT_TRUE(second->wait_for_unique(1, patience));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(api->unique(), 1U);
    EXPECT_EQ(second->unique(), 1U);
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) {
        return self.status().at("upstream").at("connections").to_number<int>() == 1;
    }));
}

TEST_F(reload, ends_a_hold_that_a_wrong_url_has_led_to) {
    start_sandbox();
    start_with("upstream: {url: \"" + api->url() + "/elsewhere\"}\ndelivery: {hold_probe: 1h}",
               {"upstream.url"});
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    ASSERT_TRUE(daemon->wait_state("held_misconfigured"));
    reload_with("upstream: {url: \"" + api->url() + "\"}\ndelivery: {hold_probe: 1h}");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
}

TEST_F(reload, takes_the_key_from_another_file) {
    start_sandbox();
    const auto key_in = [this](const char* file) {
        return "upstream: {server_key_file: " + (home / file) + "}\ndelivery: {hold_probe: 1h}";
    };
    home.write("wrong.key", "an-0ld-key\n");
    home.write("right.key", std::string(server_key) + "\n");
    start_with(key_in("wrong.key"));
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    reload_with(key_in("right.key"));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_THAT(daemon->child().output(), testing::Not(HasSubstr("an-0ld-key")));
}

TEST_F(reload, moves_the_observe_listener_and_changes_log_and_policies) {
    start_with("observe: {listen: [\"localhost:0\"]}\nevents: {name_style: warn}", {"observe.listen"});
    const std::string former = daemon->observe_address();
    reload_with("observe: {listen: [\"127.0.0.1:0\", \"[::1]:0\"]}\nevents: {name_style: reject}\n"
                "log: {level: debug}");
    const auto addresses = boost::json::parse(line("listening")).at("observe").as_string();
    const std::string first(addresses.subview(0, addresses.find(',')));
    EXPECT_EQ(wire_client(first).exchange(request_text("GET", "/healthz")).status, 200);
    EXPECT_THROW(wire_client{former}, std::exception);
    EXPECT_EQ(code_of(daemon->post(event_text("Odd Name", "u"))), "name_style");
}

} // namespace
} // namespace linkrunner::tests
