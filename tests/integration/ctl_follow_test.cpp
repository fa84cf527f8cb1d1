// linkrunnerctl tail and explain against a running daemon.
#include "support/control_tool.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

class ctl_follow : public control_tool {
  protected:
    std::unique_ptr<process> tail(std::vector<std::string> more = {}) {
        const auto before = followers();
        more.insert(more.begin(), "tail");
        auto made = std::make_unique<process>(tool_command(more));
        EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return followers() == before + 1; }));
        return made;
    }
    std::int64_t followers() { return ctl({"status", "--json"}).json().at("followers").as_int64(); }
    static bool holds(process& of, const std::string& words) {
        return of.wait_line([&](const std::string& line) { return line.find(words) != std::string::npos; })
            .has_value();
    }
};

TEST_F(ctl_follow, tail_shows_what_is_accepted_delivered_and_dead) {
    start_sandbox();
    api->add_faults("name=refund status=400");
    start();
    const auto seen = tail();
    post("purchase_completed", "order-1", "ann");
    post("refund", "order-2", "bob");
    EXPECT_TRUE(holds(*seen, "accepted   purchase_completed  ann  order-1  by 127.0.0.1:"));
    EXPECT_TRUE(holds(*seen, "delivered  purchase_completed  ann  order-1  after "));
    EXPECT_TRUE(holds(*seen, "dead       refund  bob  order-2  after "));
    seen->signal(SIGINT);
    seen->wait_exit();
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return followers() == 0; }));
}

TEST_F(ctl_follow, tail_filters_and_ends_after_a_count) {
    start();
    const auto by_user = tail({"--user", "ann", "--outcome", "delivered", "--count", "2", "--json"});
    const auto by_name = tail({"--name", "level_completed", "--outcome", "accepted,failed", "--count", "1"});
    post("level_completed", "a", "bob");
    post("purchase_completed", "b", "ann");
    post("level_completed", "c", "ann");
    EXPECT_EQ(by_user->wait_exit(), 0);
    EXPECT_EQ(by_name->wait_exit(), 0);
    EXPECT_THAT(by_user->output(), HasSubstr(R"("event_id":"b")"));
    EXPECT_THAT(by_user->output(), HasSubstr(R"("event_id":"c")"));
    EXPECT_THAT(by_user->output(), Not(HasSubstr("bob")));
    EXPECT_THAT(by_name->output(), HasSubstr("accepted   level_completed  bob  a"));
    EXPECT_EQ(ctl({"tail", "--outcome", "everything"}).code, 2);
}

TEST_F(ctl_follow, tail_shows_failed_attempts_where_they_are_asked_for) {
    start_sandbox();
    api->add_faults("status=503");
    start();
    const auto seen = tail({"--outcome", "failed"});
    post("e", "a", "ann");
    EXPECT_TRUE(holds(*seen, "failed     e  ann  a  attempt 1: 503, transient"));
}

TEST_F(ctl_follow, a_reader_that_stops_reading_holds_up_nothing_and_is_told_what_it_lost) {
    start();
    const auto slow = tail();
    slow->signal(SIGSTOP);
    const std::string long_name(800, 'n');
    std::string lines;
    for (int i = 0; i < 2000; ++i) {
        lines += event_text(long_name, "u" + std::to_string(i)) + "\n";
    }
    ASSERT_EQ(daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}}).status, 202);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2000));
    slow->signal(SIGCONT);
    EXPECT_TRUE(holds(*slow, "lines are lost here: this reader is too slow"));
}

TEST_F(ctl_follow, tail_ends_with_the_daemon) {
    start();
    const auto seen = tail();
    EXPECT_EQ(daemon->stop(), 0);
    stopped = true;
    EXPECT_EQ(seen->wait_exit(), 69);
    EXPECT_THAT(seen->output(), HasSubstr("has ended"));
}

TEST_F(ctl_follow, explains_an_event_that_was_delivered) {
    start();
    post("purchase_completed", "order-1");
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    const tool_outcome seen = ctl({"explain", "order-1"});
    EXPECT_EQ(seen.code, 0);
    EXPECT_THAT(seen.text, HasSubstr("purchase_completed order-1, number 1, lane revenue"));
    EXPECT_THAT(seen.text, HasSubstr("ago, by 127.0.0.1:"));
    EXPECT_THAT(seen.text, HasSubstr("attempt 1 ended"));
    EXPECT_THAT(seen.text, HasSubstr("delivered 2"));
    const tool_outcome unknown = ctl({"explain", "order-2"});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_THAT(unknown.text, HasSubstr("Nothing is known of order-2"));
}

TEST_F(ctl_follow, explains_what_a_waiting_event_waits_for) {
    start_sandbox();
    api->set_key("another-key");
    start();
    post("e", "held");
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    EXPECT_TRUE(shows({"explain", "held"}, "waits for the end of the state held_unauthorized (401"));
    EXPECT_THAT(ctl({"explain", "held"}).text, HasSubstr("attempt 1 ended"));
    ctl({"pause"});
    EXPECT_THAT(ctl({"explain", "held"}).text, HasSubstr("waits for an operator, who paused delivery"));
}

TEST_F(ctl_follow, explains_the_attempts_of_an_event_that_fails_again_and_again) {
    start_sandbox();
    api->add_faults("name=poison status=500");
    start({{"delivery.backoff.initial", "20ms"},
           {"delivery.backoff.max", "40ms"},
           {"delivery.max_attempts", "3"}});
    post("poison", "p-1");
    ASSERT_TRUE(daemon->wait_until([&](running_daemon& self) {
        post("e", "", "other");
        return self.ledger("dead") == 1;
    }));
    const tool_outcome seen = ctl({"explain", "p-1"});
    EXPECT_THAT(seen.text, HasSubstr("is a dead letter: attempts"));
    EXPECT_THAT(seen.text, HasSubstr("attempt 1 ended"));
    EXPECT_THAT(seen.text, HasSubstr("500, transient, the API may have counted it"));
    EXPECT_THAT(seen.text, HasSubstr("linkrunnerctl dead show"));
    EXPECT_EQ(ctl({"explain", "p-1", "--json"}).json().at("stories").as_array().size(), 1U);
}

} // namespace
} // namespace linkrunner::tests
