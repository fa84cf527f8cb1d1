// The command line: exit codes, what is printed, and that the key never is.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace linkrunner::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class command_line : public daemon_test {
  protected:
    void SetUp() override { settings = test_settings(home, "http://127.0.0.1:9/api/v1"); }

    std::pair<int, std::string>
    run_daemon(std::vector<std::string> more = {},
               std::vector<std::pair<std::string, std::string>> environment = {}) {
        command what = daemon_command(linkrunnerd, settings, std::move(environment));
        what.words.insert(what.words.end(), more.begin(), more.end());
        return run(what);
    }
};

TEST_F(command_line, says_its_version) {
    const auto [code, output] = run_daemon({"--version"});
    EXPECT_EQ(code, 0);
    EXPECT_THAT(output, HasSubstr("linkrunnerd "));
}

TEST_F(command_line, that_is_wrong_ends_with_2) {
    const auto [code, output] = run_daemon({"--frobnicate"});
    EXPECT_EQ(code, 2) << output;
    EXPECT_EQ(run_daemon({"--check", "--audit"}).first, 2); // one thing at a time
    EXPECT_EQ(run_daemon({"--repair", ""}).first, 2);
}

TEST_F(command_line, with_a_wrong_configuration_ends_with_78_and_says_where) {
    const std::string file =
        home.write("bad.yaml", "upstream:\n  ulr: http://127.0.0.1:1/\ndelivery:\n  rate: fast\n");
    const auto [code, output] = run_daemon({"--config", file});
    EXPECT_EQ(code, 78);
    EXPECT_THAT(output,
                AllOf(HasSubstr("bad.yaml:2:3"), HasSubstr("upstream.url"), HasSubstr("bad.yaml:4:9")));
    const auto [checked, same] = run_daemon({"--config", file, "--check"});
    EXPECT_EQ(checked, 78);
    EXPECT_EQ(same, output);
}

TEST_F(command_line, without_a_key_ends_with_78) {
    const auto [code, output] = run_daemon({}, {{"LINKRUNNER_SERVER_KEY", ""}});
    EXPECT_EQ(code, 78);
    EXPECT_THAT(output, HasSubstr("LINKRUNNER_SERVER_KEY"));
}

TEST_F(command_line, with_an_unusable_spool_ends_with_74) {
    settings["spool.directory"] = home.write("a-file", "") + "/spool";
    const auto [code, output] = run_daemon();
    EXPECT_EQ(code, 74) << output;
    EXPECT_THAT(output, HasSubstr("a-file"));
    const auto [checked, same] = run_daemon({"--check"});
    EXPECT_EQ(checked, 74) << same;
}

TEST_F(command_line, with_a_spool_in_use_ends_with_75) {
    start();
    const auto [code, output] = run_daemon();
    EXPECT_EQ(code, 75) << output;
    EXPECT_THAT(output, HasSubstr("in use by process " + std::to_string(daemon->child().pid())));
    const auto [checked, seen] = run_daemon({"--check"});
    EXPECT_EQ(checked, 75) << seen;
    EXPECT_THAT(seen, HasSubstr("every file reads as it was written"));
    EXPECT_EQ(run_daemon({"--audit"}).first, 75);
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202); // the first one is not disturbed
}

TEST_F(command_line, with_an_address_in_use_ends_with_75) {
    start();
    settings["spool.directory"] = home / "another";
    settings["intake.listen"] = daemon->listeners().at(0);
    const auto [code, output] = run_daemon();
    EXPECT_EQ(code, 75);
    EXPECT_THAT(output, HasSubstr(daemon->listeners().at(0)));
}

TEST_F(command_line, checks_a_good_configuration_and_changes_nothing) {
    const auto [code, output] = run_daemon({"--check"});
    EXPECT_EQ(code, 0) << output;
    EXPECT_FALSE(std::filesystem::exists(settings["spool.directory"]));
}

TEST_F(command_line, prints_the_configuration_without_the_key) {
    const auto [code, output] = run_daemon({"--print-config"});
    EXPECT_EQ(code, 0);
    EXPECT_THAT(output, AllOf(HasSubstr("upstream:"), HasSubstr("http://127.0.0.1:9/api/v1"),
                              HasSubstr("--set"), Not(HasSubstr(server_key))));
}

TEST_F(command_line, takes_its_configuration_from_a_file_and_the_environment) {
    start_sandbox();
    home.write("key", std::string(server_key) + "\n");
    const std::string file =
        home.write("good.yaml", "intake:\n  listen: [\"127.0.0.1:0\"]\n"
                                "observe:\n  listen: [\"127.0.0.1:0\"]\n"
                                "upstream:\n  url: ${TEST_UPSTREAM}\n  server_key_file: " +
                                    (home / "key") +
                                    "\n"
                                    "log: {format: json}\n");
    command what;
    what.words = {linkrunnerd, "--config", file};
    what.environment = {{"TEST_UPSTREAM", api->url()}, {"LINKRUNNERD_SPOOL__DIRECTORY", home / "spool"}};
    process child(what);
    const auto line = child.wait_line(
        [](const std::string& text) { return text.find("linkrunnerd started") != std::string::npos; });
    ASSERT_TRUE(line) << child.output();
    EXPECT_TRUE(std::filesystem::exists(home / "spool"));
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait_exit(), 0);
}

TEST_F(command_line, asks_for_the_health_of_a_running_daemon) {
    start();
    settings["observe.listen"] = daemon->observe_address();
    EXPECT_EQ(run_daemon({"--health"}).first, 0);
    daemon->stop();
    stopped = true;
    EXPECT_EQ(run_daemon({"--health"}).first, 1);
}

} // namespace
} // namespace linkrunner::tests
