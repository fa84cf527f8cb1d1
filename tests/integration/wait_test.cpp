// ?wait=delivered: the answer that comes with the end of the event.
#include "support/daemon_test.hpp"

namespace linkrunner::tests {
namespace {

class wait_delivered : public daemon_test {
  protected:
    http_answer post(const std::string& body, const std::string& timeout = "20s") {
        return daemon->post(body, "/v1/events?wait=delivered&timeout=" + timeout);
    }
};

TEST_F(wait_delivered, tells_that_the_event_was_delivered) {
    start();
    const auto answer = post(event_text("e", "u", "1"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(text_at(answer, "/data/outcome"), "delivered");
    EXPECT_EQ(text_at(answer, "/data/event_id"), "1");
    EXPECT_EQ(api->unique(), 1U);
    const auto drop_in = daemon->post(event_text("e", "u", "2"), "/api/v1/capture-event?wait=delivered");
    EXPECT_EQ(drop_in.status, 200);
}

TEST_F(wait_delivered, tells_that_the_event_is_dead) {
    start_sandbox();
    api->add_faults("name=bad status=400");
    start();
    const auto answer = post(event_text("bad", "u", "1"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(text_at(answer, "/data/outcome"), "dead");
}

TEST_F(wait_delivered, tells_the_end_of_a_duplicate) {
    start();
    EXPECT_EQ(daemon->post(event_text("e", "u", "1")).status, 202);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    const auto answer = post(event_text("e", "u", "1"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(text_at(answer, "/data/outcome"), "delivered");
    EXPECT_TRUE(parsed(answer).at("data").at("duplicate").as_bool());
}

TEST_F(wait_delivered, tells_the_ends_of_a_batch_in_order) {
    start_sandbox();
    api->add_faults("name=bad status=400");
    start();
    const auto answer =
        post("[" + event_text("e", "u") + "," + event_text("bad", "v") + "," + event_text("e", "w") + "]");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(text_at(answer, "/data/outcomes/0"), "delivered");
    EXPECT_EQ(text_at(answer, "/data/outcomes/1"), "dead");
    EXPECT_EQ(text_at(answer, "/data/outcomes/2"), "delivered");
    EXPECT_EQ(number_at(answer, "/data/accepted"), 3);
}

TEST_F(wait_delivered, hides_nothing_of_a_batch_that_was_rejected_in_part) {
    start_sandbox();
    api->add_faults("name=bad status=400");
    start();
    EXPECT_EQ(daemon->post(event_text("e", "u", "1")).status, 202);
    const std::string conflict = event_text("e", "u", "1", "\"other\":1");
    const std::string whole = "[" + event_text("e", "v", "2") + ",{}," + event_text("bad", "v", "3") + "," +
                              conflict + "," + event_text("e", "w", "4") + "]";
    const auto answer = post(whole);
    EXPECT_EQ(answer.status, 207);
    EXPECT_EQ(number_at(answer, "/data/rejected/0/index"), 1);
    EXPECT_EQ(number_at(answer, "/data/rejected/1/index"), 3);
    EXPECT_EQ(text_at(answer, "/data/event_ids/4"), "4");
    EXPECT_EQ(text_at(answer, "/data/outcomes/0"), "delivered");
    EXPECT_TRUE(parsed(answer).at_pointer("/data/outcomes/1").is_null());
    EXPECT_EQ(text_at(answer, "/data/outcomes/2"), "dead");
    EXPECT_TRUE(parsed(answer).at_pointer("/data/outcomes/3").is_null());
    EXPECT_EQ(text_at(answer, "/data/outcomes/4"), "delivered");
}

TEST_F(wait_delivered, says_of_a_batch_what_is_known_when_the_time_is_up) {
    start_sandbox();
    api->add_faults("name=slow hang");
    start();
    const auto answer = post("[" + event_text("e", "u") + "," + event_text("slow", "v") + "]", "1s");
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(text_at(answer, "/data/outcomes/0"), "delivered");
    EXPECT_EQ(text_at(answer, "/data/outcomes/1"), "pending");
    api->clear_faults();
    api->drop_connections();
}

TEST_F(wait_delivered, is_not_kept_from_others_by_clients_that_have_gone) {
    start_sandbox();
    api->add_faults("name=slow hang");
    start({{"intake.max_waiters", "1"}});
    {
        wire_client gone = daemon->connect();
        gone.send(request_text("POST", "/v1/events?wait=delivered&timeout=60s", event_text("slow", "u"),
                               {{"Content-Type", "application/json"}}));
        EXPECT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests == 1; }, patience));
    }
    int next = 0;
    EXPECT_TRUE(daemon->wait_until(
        [&](running_daemon&) { return post(event_text("e", "w" + std::to_string(next++))).status == 200; }));
    api->clear_faults();
    api->drop_connections();
}

TEST_F(wait_delivered, is_answered_as_accepted_when_the_time_is_up) {
    start_sandbox();
    api->add_faults("hang");
    start();
    const auto answer = post(event_text("e", "u", "1"), "100ms");
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(text_at(answer, "/data/outcome"), "pending");
    api->clear_faults();
    api->drop_connections();
    EXPECT_TRUE(api->wait_for_unique(1, patience));
}

TEST_F(wait_delivered, is_answered_at_once_when_too_many_wait) {
    start_sandbox();
    api->add_faults("hang");
    start({{"intake.max_waiters", "1"}});
    wire_client first = daemon->connect();
    first.send(request_text("POST", "/v1/events?wait=delivered&timeout=30s", event_text("e", "u"),
                            {{"Content-Type", "application/json"}}));
    EXPECT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests == 1; }, patience));
    EXPECT_EQ(post(event_text("e", "v"), "30s").status, 202);
}

TEST_F(wait_delivered, is_answered_when_the_daemon_stops) {
    start_sandbox();
    api->add_faults("hang");
    start();
    wire_client client = daemon->connect();
    client.send(request_text("POST", "/v1/events?wait=delivered&timeout=30s", event_text("e", "u"),
                             {{"Content-Type", "application/json"}}));
    EXPECT_TRUE(api->wait_until([](sandbox::api& core) { return core.sums().requests == 1; }, patience));
    EXPECT_EQ(daemon->stop(), 0);
    stopped = true;
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 202);
    EXPECT_EQ(text_at(*answer, "/data/outcome"), "pending");
}

} // namespace
} // namespace linkrunner::tests
