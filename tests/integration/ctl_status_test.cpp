// linkrunnerctl status, version, and what it says when there is nobody to ask: in each state of the daemon.
#include "support/control_tool.hpp"
#include "support/small_disk.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class ctl_status : public control_tool {};

TEST_F(ctl_status, fits_on_a_screen_and_says_that_all_is_well) {
    start();
    post("purchase_completed", "a");
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    const tool_outcome seen = ctl({"status"});
    EXPECT_EQ(seen.code, 0);
    EXPECT_LE(std::ranges::count(seen.text, '\n'), 24) << seen.text;
    EXPECT_THAT(seen.text, HasSubstr("takes events"));
    EXPECT_THAT(seen.text, HasSubstr("Upstream    healthy"));
    EXPECT_THAT(seen.text, HasSubstr("Rate        20000/s, as configured"));
    EXPECT_THAT(seen.text, HasSubstr("from the environment; not refused"));
    EXPECT_THAT(seen.text, HasSubstr("revenue"));
    EXPECT_THAT(seen.text, HasSubstr("Last error  none since the start"));
    EXPECT_THAT(seen.text, testing::Not(HasSubstr("To do")));
    EXPECT_TRUE(shows({"status"}, "delivered                    1")) << ctl({"status"}).text;
}

TEST_F(ctl_status, as_json_holds_the_document_of_status_and_more) {
    start();
    post("e", "a");
    const auto all = ctl({"--json", "status"}).json();
    EXPECT_EQ(all.at("daemon").at("upstream").at("state").as_string(), "healthy");
    EXPECT_EQ(all.at("pid").to_number<pid_t>(), daemon->child().pid());
    EXPECT_FALSE(all.at("paused").as_bool());
    EXPECT_EQ(all.at("key").at("source").as_string(), "environment");
    EXPECT_TRUE(ctl({"status", "--json"}).json().is_object()); // also after the command
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) {
        return ctl({"status", "--json"}).json().at("last_minute").at("accepted").as_int64() == 1;
    }));
}

TEST_F(ctl_status, says_why_nothing_is_sent_while_throttled) {
    start_sandbox();
    api->add_faults("status=429 retry_after=120");
    start();
    post("e", "a");
    ASSERT_TRUE(daemon->wait_state("throttled"));
    const tool_outcome seen = ctl({"status"});
    EXPECT_THAT(seen.text, HasSubstr("Upstream    throttled: the API asked for a pause; 429"));
    EXPECT_THAT(seen.text, testing::AnyOf(HasSubstr("next try in 1m"), HasSubstr("next try in 2m")));
    EXPECT_THAT(seen.text, HasSubstr("ago: 429"));
    EXPECT_THAT(seen.text, HasSubstr("the oldest has waited for"));
    EXPECT_THAT(seen.text, HasSubstr("To do       nothing, it passes"));
}

TEST_F(ctl_status, says_that_the_key_is_refused_while_held) {
    start_sandbox();
    api->set_key("another-key");
    start();
    post("e", "a");
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    const tool_outcome seen = ctl({"status"});
    EXPECT_THAT(seen.text, HasSubstr("held_unauthorized: the API refuses the server key; 401"));
    EXPECT_THAT(seen.text, HasSubstr("REFUSED BY THE API"));
    EXPECT_THAT(seen.text, HasSubstr("To do       write the right key into its file"));
    EXPECT_THAT(seen.text, HasSubstr("unknown")); // no forecast
    EXPECT_EQ(seen.text.find(server_key), std::string::npos);
}

TEST_F(ctl_status, names_the_error_in_an_outage) {
    start_sandbox();
    api->set_listening(false);
    start();
    post_many(40);
    ASSERT_TRUE(daemon->wait_state("outage"));
    const tool_outcome seen = ctl({"status"});
    EXPECT_THAT(seen.text, HasSubstr("Upstream    outage: attempts fail and none succeeds"));
    EXPECT_THAT(seen.text, HasSubstr("Connection refused"));
    EXPECT_THAT(seen.text, HasSubstr("To do       look at the last error"));
}

TEST_F(ctl_status, says_that_the_disk_is_full) {
    if (!small_disk::possible()) {
        GTEST_SKIP() << "needs root";
    }
    small_disk disk(6 << 20);
    start_sandbox();
    start({{"spool.directory", disk / "spool"}, {"spool.max_bytes", "64MiB"}});
    disk.fill();
    ASSERT_TRUE(daemon->wait_until([&](running_daemon& self) {
        return self.post(event_text("e", "u", "", "\"x\":\"" + std::string(50'000, 'x') + "\"")).status ==
               503;
    }));
    const tool_outcome seen = ctl({"status"});
    EXPECT_EQ(seen.code, 0);
    EXPECT_THAT(seen.text, HasSubstr("TAKES NO EVENTS (disk_full"));
    EXPECT_THAT(seen.text, HasSubstr("To do       make room on the disk"));
    EXPECT_THAT(ctl({"queue", "list"}).text, HasSubstr("No event waits"));
    const tool_outcome refused =
        ctl({"send", "--intake", "unix:" + (home / "intake.sock"), "--name", "e", "--user", "u", "--data",
             "{\"x\":\"" + std::string(50'000, 'x') + "\"}"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.text, HasSubstr("(disk_full)"));
    EXPECT_EQ(ctl({"pause"}).code, 0); // what changes nothing on disk works
    EXPECT_EQ(ctl({"resume"}).code, 0);
}

TEST_F(ctl_status, shows_that_it_drains_while_it_stops) {
    start_sandbox();
    api->add_faults("hang");
    start({{"shutdown.drain", "30s"}});
    post("e", "a");
    ASSERT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests > 0; }, patience));
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_log("stopping"));
    const tool_outcome seen = ctl({"status"});
    EXPECT_THAT(seen.text, HasSubstr("TAKES NO EVENTS (draining)"));
    EXPECT_THAT(seen.text, HasSubstr("draining: no new events are taken"));
    ctl({"drain"});
    ctl({"resume"}); // does not keep it from stopping
    EXPECT_EQ(daemon->upstream_state(), "draining");
    daemon->child().signal(SIGTERM);
}

TEST_F(ctl_status, version_tells_both_versions) {
    start();
    const tool_outcome seen = ctl({"version"});
    EXPECT_EQ(seen.code, 0);
    EXPECT_THAT(seen.text, HasSubstr("linkrunnerctl 0."));
    EXPECT_THAT(seen.text, HasSubstr("linkrunnerd 0."));
    EXPECT_TRUE(ctl({"version", "--json"}).json().at("linkrunnerd").is_string());
}

TEST_F(ctl_status, the_audit_holds) {
    start();
    post("e", "a");
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    const tool_outcome seen = ctl({"audit"});
    EXPECT_EQ(seen.code, 0);
    EXPECT_THAT(seen.text, HasSubstr("The ledger holds"));
    EXPECT_TRUE(ctl({"audit", "--json"}).json().at("holds").as_bool());
}

TEST_F(ctl_status, a_wrong_command_line_is_2) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{},
                                               {"nothing"},
                                               {"dead"},
                                               {"dead", "list", "--reason", "bad luck"},
                                               {"queue", "list", "--limit", "0"}}) {
        EXPECT_EQ(ctl(words).code, 2);
    }
    EXPECT_EQ(ctl({"--help"}).code, 0);
    EXPECT_THAT(ctl({"dead", "replay", "--help"}).text, HasSubstr("--older-than"));
}

class nobody_to_ask : public testing::Test {
  protected:
    tool_outcome ask(const std::string& socket, command what = {}) {
        what.words.insert(what.words.end(), {linkrunnerctl, "--socket", socket, "status"});
        const auto [code, text] = run(what);
        return {code, text};
    }
    temp_directory home;
};

TEST_F(nobody_to_ask, no_socket) {
    const tool_outcome seen = ask(home / "control.sock");
    EXPECT_EQ(seen.code, 69);
    EXPECT_THAT(seen.text, HasSubstr(home / "control.sock"));
    EXPECT_THAT(seen.text, HasSubstr("there is no such socket"));
    EXPECT_THAT(seen.text, HasSubstr("Is linkrunnerd running?"));
    EXPECT_THAT(seen.text, HasSubstr("LINKRUNNERCTL_SOCKET"));
}

TEST_F(nobody_to_ask, the_socket_of_a_daemon_that_is_gone) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = home / "control.sock";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(made);
    const tool_outcome seen = ask(path);
    EXPECT_EQ(seen.code, 69);
    EXPECT_THAT(seen.text, HasSubstr("nobody listens there"));
}

TEST_F(nobody_to_ask, a_socket_that_is_not_permitted_says_whose_it_is) {
    const passwd* nobody = ::getpwnam("nobody");
    if (::geteuid() != 0 || nobody == nullptr) {
        GTEST_SKIP() << "needs root, to become another";
    }
    ::chmod(home.path().c_str(), 0755);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = home / "control.sock";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::listen(made, 1);
    ::chmod(path.c_str(), 0600);
    command as_nobody;
    as_nobody.words = {"setpriv", "--reuid", std::to_string(nobody->pw_uid), "--clear-groups"};
    const tool_outcome seen = ask(path, as_nobody);
    ::close(made);
    EXPECT_EQ(seen.code, 69) << seen.text;
    EXPECT_THAT(seen.text, HasSubstr("permission denied"));
    EXPECT_THAT(seen.text, HasSubstr("user root"));
    EXPECT_THAT(seen.text, HasSubstr("mode 0600"));
    EXPECT_THAT(seen.text, HasSubstr("you are nobody"));
    EXPECT_THAT(seen.text, HasSubstr("control.unix_group"));
}

TEST_F(nobody_to_ask, the_default_path_comes_from_the_environment_too) {
    command what;
    what.words = {linkrunnerctl, "status"};
    what.environment = {{"LINKRUNNERCTL_SOCKET", home / "other.sock"}};
    const auto [code, text] = run(what);
    EXPECT_EQ(code, 69);
    EXPECT_THAT(text, HasSubstr(home / "other.sock"));
}

} // namespace
} // namespace linkrunner::tests
