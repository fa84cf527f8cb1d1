// linkrunnerctl send against a running daemon: nothing lost, nothing doubled, what is bad kept with its
// reason.
#include "support/control_tool.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class ctl_send : public control_tool {
  protected:
    std::vector<std::string> sending(const std::vector<std::string>& more) const {
        std::vector<std::string> out = {"send", "--intake", "unix:" + (home / "intake.sock")};
        out.insert(out.end(), more.begin(), more.end());
        return out;
    }
    tool_outcome send(const std::vector<std::string>& more) const { return ctl(sending(more)); }

    std::string input(int count, const std::string& name = "input.ndjson") const {
        const std::string file = home / name;
        std::ofstream to(file);
        for (int i = 0; i < count; ++i) {
            to << event_text("level_completed", "u" + std::to_string(i)) << "\n";
        }
        return file;
    }
    static std::string content(const std::string& file) {
        std::ostringstream out;
        out << std::ifstream(file).rdbuf();
        return out.str();
    }
};

TEST_F(ctl_send, one_event_from_flags) {
    start();
    const tool_outcome first = send({"--name", "purchase_completed", "--user", "ann", "--event-id", "o-1",
                                     "--data", R"({"amount": 1.10})"});
    EXPECT_EQ(first.code, 0) << first.text;
    EXPECT_EQ(first.text, "accepted: o-1\n");
    EXPECT_THAT(send({"--name", "purchase_completed", "--user", "ann", "--event-id", "o-1", "--data",
                      R"({"amount": 1.10})"})
                    .text,
                HasSubstr("accepted before: o-1"));
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_THAT(api->events().front().body, HasSubstr(R"("event_data":{"amount": 1.10})"));
    const tool_outcome waited = send({"--name", "e", "--install-id", "i-1", "--wait", "10s"});
    EXPECT_THAT(waited.text, HasSubstr(", delivered"));
    EXPECT_EQ(send({"--name", "e", "--user", "u", "--json"}).json().at("status").as_int64(), 202);
}

TEST_F(ctl_send, one_event_that_is_refused_or_dead_fails) {
    start_sandbox();
    api->add_faults("name=refund status=400");
    start();
    const tool_outcome refused = send({"--name", "e", "--user", std::string(2000, 'u')});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.text, HasSubstr("/user_id"));
    EXPECT_EQ(send({"--name", "refund", "--user", "u", "--wait", "20s"}).code, 1);
    EXPECT_EQ(send({"--name", "e"}).code, 2);
    EXPECT_EQ(send({"--user", "e"}).code, 2);
    EXPECT_EQ(send({"--name", "e", "--user", "u", "--data", "[1]"}).code, 2);
}

TEST_F(ctl_send, a_file_and_only_once) {
    start();
    const std::string file = input(1234);
    const tool_outcome sent = send({file});
    EXPECT_EQ(sent.code, 0) << sent.text;
    EXPECT_EQ(sent.text, "1,234 accepted, 0 repeats, 0 rejected; 1,234 lines.\n"); // and no progress bar
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1234));
    EXPECT_EQ(send({file}).code, 0);
    EXPECT_EQ(daemon->ledger("accepted"), 1234U);
    std::ofstream(file, std::ios::app) << event_text("e", "late") << "\n"; // a file that grows
    EXPECT_EQ(send({file, "--json"}).json().at("accepted").as_int64(), 1235);
    EXPECT_EQ(daemon->ledger("accepted"), 1235U);
    EXPECT_EQ(send({file, "--again"}).code, 0);
    EXPECT_EQ(daemon->ledger("accepted"), 2470U);
}

TEST_F(ctl_send, the_same_file_again_without_its_state_is_known_by_the_daemon) {
    start();
    const std::string file = input(700);
    send({file});
    std::remove((file + ".sent").c_str());
    EXPECT_THAT(send({file}).text, HasSubstr("0 accepted, 700 repeats"));
    EXPECT_EQ(daemon->ledger("accepted"), 700U);
}

TEST_F(ctl_send, gzip_and_standard_input) {
    start();
    const std::string file = input(600);
    ASSERT_EQ(run({{"gzip", file}, {}, {}}).first, 0);
    EXPECT_EQ(send({file + ".gz"}).code, 0);
    EXPECT_EQ(daemon->ledger("accepted"), 600U);
    std::string line = "zcat " + file + ".gz | " + linkrunnerctl;
    for (const std::string& word : sending({"-"})) {
        line += " " + word;
    }
    EXPECT_EQ(run({{"sh", "-c", line}, {}, {}}).first, 0);
    EXPECT_EQ(daemon->ledger("accepted"), 1200U); // other events: standard input has no identity
    EXPECT_EQ(run({{"sh", "-c", line + " --key import-7"}, {}, {}}).first, 0);
    EXPECT_EQ(run({{"sh", "-c", line + " --key import-7"}, {}, {}}).first, 0);
    EXPECT_EQ(daemon->ledger("accepted"), 1800U);
}

TEST_F(ctl_send, bad_lines_are_kept_with_their_reasons) {
    start();
    const std::string file = home / "mixed.ndjson";
    std::ofstream(file) << event_text("e", "a") << "\n\nnot json\n{\"event_name\":\"e\"}\n"
                        << event_text("e", "b") << "\n";
    const tool_outcome sent = send({file});
    EXPECT_EQ(sent.code, 1);
    EXPECT_THAT(sent.text, HasSubstr("2 accepted, 0 repeats, 2 rejected; 5 lines."));
    EXPECT_THAT(sent.text, HasSubstr(file + ".rejected"));
    const std::string kept = content(file + ".rejected");
    EXPECT_THAT(kept, HasSubstr(R"({"line":3,"code":"malformed_json")"));
    EXPECT_THAT(kept, HasSubstr(R"("text":"not json")"));
    EXPECT_THAT(kept, HasSubstr(R"({"line":4,"code":"missing_field")"));
    EXPECT_EQ(daemon->ledger("accepted"), 2U);
}

TEST_F(ctl_send, what_is_too_much_for_one_request_goes_in_parts) {
    start({{"intake.max_batch", "100"}, {"intake.max_event", "64KiB"}, {"intake.max_body", "64KiB"}});
    const std::string file = input(1000);
    std::ofstream(file, std::ios::app)
        << event_text("e", "u", "", "\"x\":\"" + std::string(100'000, 'x') + "\"") << "\n";
    const tool_outcome sent = send({file});
    EXPECT_THAT(sent.text, HasSubstr("1,000 accepted, 0 repeats, 1 rejected"));
    EXPECT_EQ(daemon->ledger("accepted"), 1000U);
}

TEST_F(ctl_send, goes_on_after_kill_9_without_doubling) {
    start();
    const std::string file = input(4'000);
    std::uint64_t before = 0;
    for (int round = 0; round < 3 && before < 4'000; ++round) {
        process sender(tool_command(sending({file})));
        ASSERT_TRUE(
            daemon->wait_until([&](running_daemon& self) { return self.ledger("accepted") > before; }));
        sender.signal(SIGKILL);
        sender.wait_exit();
        before = daemon->ledger("accepted");
    }
    const tool_outcome rest = send({file});
    EXPECT_EQ(rest.code, 0) << rest.text;
    EXPECT_EQ(daemon->ledger("accepted"), 4'000U);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 4'000));
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(api->unique(), 4'000U);
}

TEST_F(ctl_send, waits_while_the_intake_takes_nothing_and_can_be_interrupted) {
    start();
    const std::string file = input(900);
    ctl({"drain"});
    {
        process sender(tool_command(sending({file})));
        ASSERT_TRUE(daemon->wait_until([](running_daemon& self) {
            return self.metric("linkrunnerd_events_rejected_at_intake_total{code=\"draining\"}") > 0;
        }));
        sender.signal(SIGINT);
        EXPECT_EQ(sender.wait_exit(), 1);
        EXPECT_THAT(sender.output(), HasSubstr("Interrupted; the same command goes on from here."));
    }
    process sender(tool_command(sending({file})));
    ASSERT_TRUE(daemon->wait_until([](running_daemon& self) {
        return self.metric("linkrunnerd_events_rejected_at_intake_total{code=\"draining\"}") > 1;
    }));
    ctl({"resume"});
    EXPECT_EQ(sender.wait_exit(), 0);
    EXPECT_EQ(daemon->ledger("accepted"), 900U);
}

TEST_F(ctl_send, goes_on_over_a_restart_of_the_daemon) {
    start();
    const std::string file = input(4'000);
    process sender(tool_command(sending({file})));
    ASSERT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("accepted") > 0; }));
    daemon->kill();
    start();
    EXPECT_EQ(sender.wait_exit(), 0) << sender.output();
    EXPECT_EQ(daemon->ledger("accepted"), 4'000U);
}

TEST_F(ctl_send, no_intake_is_69_and_says_what_to_do) {
    start();
    const tool_outcome seen = ctl({"send", "--intake", "unix:" + (home / "none.sock"), input(1)});
    EXPECT_EQ(seen.code, 69);
    EXPECT_THAT(seen.text, HasSubstr("none.sock"));
    EXPECT_THAT(seen.text, HasSubstr("--intake"));
    EXPECT_EQ(send({home / "no-such-file"}).code, 1);
    EXPECT_EQ(ctl({"send", "--intake", "https://example.com", input(1, "other")}).code, 2);
}

} // namespace
} // namespace linkrunner::tests
