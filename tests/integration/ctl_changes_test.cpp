// linkrunnerctl queue, dead, pause, resume, rate, reload, drain against a running daemon.
#include "support/control_tool.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

class ctl_changes : public control_tool {
  protected:
    void expect_logged_with_who_asked(const std::string& message) {
        const auto line = daemon->wait_log(message);
        ASSERT_TRUE(line) << message;
        EXPECT_EQ(line->at("uid").as_int64(), static_cast<std::int64_t>(::geteuid()));
        EXPECT_EQ(line->at("gid").as_int64(), static_cast<std::int64_t>(::getegid()));
        EXPECT_GT(line->at("pid").as_int64(), 0);
    }
    void start_with_refunds_refused() {
        start_sandbox();
        api->add_faults("name=refund status=400");
        start();
    }
};

TEST_F(ctl_changes, pause_keeps_events_back_until_resume) {
    start();
    EXPECT_THAT(ctl({"pause"}).text, HasSubstr("Paused"));
    expect_logged_with_who_asked("an operator paused delivery");
    post("purchase_completed", "a");
    post("level_completed", "b", "ann");
    EXPECT_EQ(daemon->upstream_state(), "paused");
    EXPECT_THAT(ctl({"status"}).text, HasSubstr("To do       `linkrunnerctl resume` goes on"));
    EXPECT_EQ(api->sums().requests, 0U);
    EXPECT_EQ(daemon->metric("linkrunnerd_upstream_state{state=\"paused\"}"), 1);
    const tool_outcome resumed = ctl({"resume", "--json"});
    EXPECT_EQ(resumed.code, 0);
    EXPECT_FALSE(resumed.json().at("paused").as_bool());
    expect_logged_with_who_asked("an operator resumed: events are taken and delivered");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
}

TEST_F(ctl_changes, queue_shows_what_waits) {
    start();
    ctl({"pause"});
    post("purchase_completed", "pay-1");
    post("level_completed", "level-1", "ann");
    const tool_outcome all = ctl({"queue", "list"});
    EXPECT_EQ(all.code, 0);
    EXPECT_THAT(all.text, HasSubstr("pay-1"));
    EXPECT_THAT(all.text, HasSubstr("ann"));
    const tool_outcome some = ctl({"queue", "list", "--lane", "default"});
    EXPECT_THAT(some.text, HasSubstr("level-1"));
    EXPECT_THAT(some.text, Not(HasSubstr("pay-1")));
    EXPECT_THAT(ctl({"queue", "list", "--older-than", "1h"}).text, HasSubstr("None of the 2 events"));
    EXPECT_THAT(ctl({"queue", "list", "--limit", "1"}).text, HasSubstr("--from 2"));
    const auto page = ctl({"queue", "list", "--event-id", "level-1", "--json"}).json();
    const std::string number = std::to_string(page.at("events").at(0).at("number").as_int64());
    EXPECT_THAT(ctl({"queue", "show", number}).text,
                HasSubstr(event_text("level_completed", "ann", "level-1")));
    const tool_outcome missing = ctl({"queue", "show", "4711"});
    EXPECT_EQ(missing.code, 1);
    EXPECT_THAT(missing.text, HasSubstr("not_pending"));
    EXPECT_EQ(ctl({"queue", "list", "--lane", "none"}).code, 1);
    ctl({"resume"});
    ASSERT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_THAT(ctl({"queue", "list"}).text, HasSubstr("No event waits"));
}

TEST_F(ctl_changes, queue_shows_bodies_byte_for_byte) {
    start();
    ctl({"pause"});
    const std::string body =
        event_text("e", "u", "x", "\"event_data\":{\"amount\":1.10,\"n\":12345678901234567890}");
    ASSERT_EQ(daemon->post(body).status, 202);
    EXPECT_THAT(ctl({"queue", "show", "1"}).text, HasSubstr(body));
    EXPECT_THAT(ctl({"queue", "show", "1", "--json"}).text, HasSubstr(body));
    ctl({"resume"});
}

TEST_F(ctl_changes, dead_letters_are_listed_shown_replayed_and_dropped) {
    start_with_refunds_refused();
    post("refund", "order-1");
    post("refund", "order-2", "u2");
    post("refund", "order-3", "u3");
    ASSERT_TRUE(daemon->wait_ledger("dead", 3));
    const tool_outcome list = ctl({"dead", "list"});
    EXPECT_THAT(list.text, HasSubstr("order-2"));
    EXPECT_THAT(list.text, HasSubstr("rejected"));
    EXPECT_THAT(ctl({"dead", "list", "--reason", "age"}).text, HasSubstr("None of the 3"));
    EXPECT_THAT(ctl({"dead", "list", "--name", "refund", "--newer-than", "1h", "--limit", "1"}).text,
                HasSubstr("go on with --from"));
    EXPECT_THAT(ctl({"dead", "list", "--older-than", "1h"}).text, HasSubstr("None of the 3"));
    const auto letter = ctl({"dead", "list", "--event-id", "order-2", "--json"}).json();
    const std::string number = std::to_string(letter.at("letters").at(0).at("number").as_int64());
    EXPECT_THAT(ctl({"dead", "show", number}).text, HasSubstr(event_text("refund", "u2", "order-2")));
    EXPECT_THAT(ctl({"dead", "drop", number}).text, HasSubstr("1 dead letter is dropped"));
    expect_logged_with_who_asked("dead letters dropped");
    EXPECT_EQ(ctl({"dead", "show", number}).code, 1);
    EXPECT_EQ(ctl({"dead", "replay"}).code, 2); // selects nothing
    api->clear_faults();
    const tool_outcome replayed = ctl({"dead", "replay", "--name", "refund"});
    EXPECT_EQ(replayed.code, 0);
    EXPECT_THAT(replayed.text, HasSubstr("2 dead letters are pending again"));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(ctl({"dead", "drop", "--all", "--json"}).json().at("dropped").as_int64(), 0);
    EXPECT_THAT(ctl({"dead", "list"}).text, HasSubstr("There are no dead letters"));
}

TEST_F(ctl_changes, dead_letters_are_written_to_a_new_file) {
    start_with_refunds_refused();
    post("refund", "order-1");
    post("refund", "order-2", "u2");
    ASSERT_TRUE(daemon->wait_ledger("dead", 2));
    const std::string file = home / "dead.ndjson";
    EXPECT_EQ(ctl({"dead", "export", "-o", file}).code, 0);
    std::ifstream written(file);
    int lines = 0;
    for (std::string line; std::getline(written, line); ++lines) {
        EXPECT_EQ(boost::json::parse(line).at("body").at("event_name").as_string(), "refund");
    }
    EXPECT_EQ(lines, 2);
    const tool_outcome again = ctl({"dead", "export", "-o", file});
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.text, HasSubstr("File exists"));
    EXPECT_THAT(ctl({"dead", "export", "--event-id", "order-2"}).text, HasSubstr("order-2"));
}

TEST_F(ctl_changes, the_rate_is_seen_changed_and_reset) {
    start({{"delivery.rate", "1000/s"}});
    EXPECT_THAT(ctl({"rate"}).text, HasSubstr("In force    1000/s"));
    const tool_outcome changed = ctl({"rate", "2/s"});
    EXPECT_EQ(changed.code, 0);
    EXPECT_THAT(changed.text, HasSubstr("In force    2/s"));
    EXPECT_THAT(changed.text, HasSubstr("until a restart or `linkrunnerctl rate reset`"));
    expect_logged_with_who_asked("an operator changed the rate; until a restart, or until it is reset");
    EXPECT_EQ(daemon->metric("linkrunnerd_rate_limit_current"), 2);
    EXPECT_THAT(ctl({"status"}).text, HasSubstr("Rate        2/s, set by an operator"));
    EXPECT_THAT(ctl({"rate", "reset"}).text, HasSubstr("In force    1000/s"));
    EXPECT_EQ(ctl({"rate", "fast"}).code, 2);
    EXPECT_EQ(ctl({"rate", "0"}).code, 1);
}

TEST_F(ctl_changes, a_lower_rate_is_kept) {
    start({{"delivery.burst", "1"}});
    const auto begun = std::chrono::steady_clock::now();
    ctl({"rate", "20"});
    post_many(200);
    ASSERT_TRUE(api->wait_for_unique(5, patience));
    const auto sent = static_cast<double>(api->unique());
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    EXPECT_LE(sent, 20 * spent.count() + 2);
    ctl({"rate", "reset"});
    EXPECT_TRUE(daemon->wait_ledger("delivered", 200));
}

TEST_F(ctl_changes, reload_looks_at_the_key_file) {
    start_sandbox();
    const std::string file = home / "server.key";
    std::ofstream(file) << "wrong-key-0123456789\n";
    start({{"upstream.server_key_file", file}, {"delivery.hold_probe", "60s"}},
          {{"LINKRUNNER_SERVER_KEY", ""}});
    post("e", "a");
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    std::ofstream(file, std::ios::trunc) << server_key << "\n";
    EXPECT_EQ(ctl({"reload"}).code, 0);
    expect_logged_with_who_asked("an operator asks for a reload");
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    EXPECT_THAT(ctl({"status"}).text, HasSubstr("from " + file + ", changed 2"));
}

TEST_F(ctl_changes, drain_takes_no_events_and_delivers_those_that_wait) {
    start();
    ctl({"pause"});
    post_many(20);
    EXPECT_EQ(ctl({"drain", "--wait", "--timeout", "300ms"}).code, 1); // paused: it cannot
    EXPECT_EQ(daemon->post(event_text("e", "u", "new")).status, 503);
    EXPECT_EQ(code_of(daemon->post(event_text("e", "u", "new"))), "draining");
    ctl({"resume"});
    EXPECT_EQ(daemon->post(event_text("e", "u", "newer")).status, 202);
    const tool_outcome drained = ctl({"drain", "--wait", "--timeout", "20s"});
    EXPECT_EQ(drained.code, 0) << drained.text;
    EXPECT_THAT(drained.text, HasSubstr("Drained: nothing waits"));
    expect_logged_with_who_asked(
        "an operator drains: no new events are taken, those that wait are delivered");
    EXPECT_EQ(daemon->ledger("delivered"), 21U);
    EXPECT_EQ(daemon->upstream_state(), "draining");
    EXPECT_EQ(daemon->observe("/readyz").status, 503);
    EXPECT_THAT(ctl({"status"}).text, HasSubstr("To do       `linkrunnerctl resume` takes events again"));
    ctl({"resume"});
    EXPECT_EQ(daemon->upstream_state(), "healthy");
    EXPECT_EQ(daemon->observe("/readyz").status, 200);
    EXPECT_EQ(daemon->post(event_text("e", "u", "newest")).status, 202);
}

TEST_F(ctl_changes, pause_drain_and_rate_end_with_the_process) {
    start();
    ctl({"pause"});
    ctl({"drain"});
    ctl({"rate", "1"});
    start();
    const auto all = ctl({"status", "--json"}).json();
    EXPECT_FALSE(all.at("paused").as_bool());
    EXPECT_FALSE(all.at("draining").as_bool());
    EXPECT_TRUE(all.at("temporary_rate_per_second").is_null());
}

TEST_F(ctl_changes, the_control_socket_has_the_mode_and_group_that_are_configured) {
    start({{"control.unix_mode", "0620"}, {"control.unix_group", std::to_string(::getegid())}});
    struct stat file{};
    ASSERT_EQ(::stat((home / "control.sock").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0620U);
    EXPECT_EQ(file.st_gid, ::getegid());
}

TEST_F(ctl_changes, nothing_that_changes_state_is_reachable_over_tcp) {
    start_sandbox();
    settings["control.listen"] = "127.0.0.1:0";
    command with_tcp = daemon_command(linkrunnerd, settings);
    with_tcp.words.push_back("--check");
    const auto [code, text] = run(with_tcp);
    EXPECT_EQ(code, 78);
    EXPECT_THAT(text, HasSubstr("control.listen"));
    settings.erase("control.listen");
    start({{"control.listen", "unix:" + (home / "control.sock")}});
    for (const char* path : {"/v1/pause", "/v1/drain", "/v1/rate", "/v1/reload", "/v1/dead/drop"}) {
        for (const std::string& address : {daemon->observe_address(), daemon->listeners().front()}) {
            const auto answer = wire_client(address).exchange(request_text("POST", path, "{\"all\":true}"));
            EXPECT_GE(answer.status, 404) << address << path;
            EXPECT_LE(answer.status, 405) << address << path;
        }
    }
}

} // namespace
} // namespace linkrunner::tests
