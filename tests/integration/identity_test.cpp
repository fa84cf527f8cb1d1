// One identity, stored once: event_id, Idempotency-Key, repeats, conflicts, over a restart.
#include "support/daemon_test.hpp"

#include <thread>

namespace linkrunner::tests {
namespace {

class identity : public daemon_test {
  protected:
    static bool is_duplicate(const http_answer& answer) {
        return parsed(answer).at("data").at("duplicate").as_bool();
    }
};

TEST_F(identity, of_a_repeat_is_answered_as_accepted_and_stored_once) {
    start();
    const auto first = daemon->post(event_text("e", "u", "order-1"));
    EXPECT_EQ(first.status, 202);
    EXPECT_FALSE(is_duplicate(first));
    for (const char* target : {"/v1/events", "/api/v1/capture-event"}) {
        const auto again = daemon->post(event_text("e", "u", "order-1"), target);
        EXPECT_LT(again.status, 300);
        EXPECT_TRUE(is_duplicate(again));
        EXPECT_EQ(text_at(again, "/data/event_id"), "order-1");
    }
    EXPECT_EQ(daemon->post(event_text("e", "u", "order-2")).status, 202);
    ASSERT_TRUE(api->wait_for_events(2, patience));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(daemon->ledger("accepted"), 2U);
    EXPECT_EQ(api->duplicates(), 0U);
    EXPECT_EQ(daemon->metric("linkrunnerd_events_duplicate_total"), 2);
}

TEST_F(identity, holds_name_and_user_too) {
    start();
    EXPECT_FALSE(is_duplicate(daemon->post(event_text("purchase_initiated", "u", "order-1"))));
    EXPECT_FALSE(is_duplicate(daemon->post(event_text("purchase_completed", "u", "order-1"))));
    EXPECT_FALSE(is_duplicate(daemon->post(event_text("purchase_completed", "v", "order-1"))));
    EXPECT_TRUE(api->wait_for_unique(3, patience));
}

TEST_F(identity, with_another_body_is_a_conflict) {
    start();
    EXPECT_EQ(daemon->post(event_text("e", "u", "order-1", R"("event_data":{"amount":1})")).status, 202);
    const auto answer = daemon->post(event_text("e", "u", "order-1", R"("event_data":{"amount":2})"));
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(code_of(answer), "identity_conflict");
    EXPECT_EQ(daemon->ledger("accepted"), 1U);
}

TEST_F(identity, within_a_batch_is_told_apart) {
    start();
    const auto answer = daemon->post("[" + event_text("e", "u", "1") + "," + event_text("e", "u", "1") + "," +
                                     event_text("e", "u", "1", "\"x\":1") + "]");
    EXPECT_EQ(answer.status, 207);
    EXPECT_EQ(number_at(answer, "/data/accepted"), 2);
    EXPECT_EQ(number_at(answer, "/data/duplicates"), 1);
    EXPECT_EQ(text_at(answer, "/data/rejected/0/code"), "identity_conflict");
    EXPECT_EQ(number_at(answer, "/data/rejected/0/index"), 2);
}

TEST_F(identity, comes_from_the_idempotency_key_where_there_is_no_event_id) {
    start();
    const header_list key = {{"Idempotency-Key", "request-7"}};
    const auto first = daemon->post(event_text("e", "u"), "/v1/events", key);
    EXPECT_EQ(text_at(first, "/data/event_id"), "request-7");
    EXPECT_TRUE(is_duplicate(daemon->post(event_text("e", "u"), "/v1/events", key)));
    const auto own = daemon->post(event_text("e", "u", "own-id"), "/v1/events", key);
    EXPECT_EQ(text_at(own, "/data/event_id"), "own-id");
    const std::string batch = "[" + event_text("e", "u") + "," + event_text("e", "u") + "]";
    const auto one = daemon->post(batch, "/v1/events", key);
    const auto two = daemon->post(batch, "/v1/events", key);
    EXPECT_EQ(number_at(one, "/data/duplicates"), 0);
    EXPECT_EQ(number_at(two, "/data/duplicates"), 2);
    EXPECT_NE(text_at(one, "/data/event_ids/0"), text_at(one, "/data/event_ids/1"));
    EXPECT_EQ(text_at(one, "/data/event_ids/0"), text_at(two, "/data/event_ids/0"));
    EXPECT_TRUE(api->wait_for_unique(4, patience));
}

TEST_F(identity, is_remembered_over_kill_and_stop) {
    start();
    EXPECT_FALSE(is_duplicate(daemon->post(event_text("e", "u", "order-1"))));
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
    daemon->kill();
    start();
    EXPECT_TRUE(is_duplicate(daemon->post(event_text("e", "u", "order-1"))));
    EXPECT_EQ(daemon->post(event_text("e", "u", "order-1", "\"x\":1")).status, 409);
    EXPECT_EQ(daemon->stop(), 0);
    start();
    EXPECT_TRUE(is_duplicate(daemon->post(event_text("e", "u", "order-1"))));
    EXPECT_EQ(daemon->ledger("accepted"), 1U);
}

TEST_F(identity, of_many_repeats_at_once_is_stored_once) {
    start();
    constexpr int senders = 8;
    constexpr int events = 50;
    std::vector<std::thread> threads;
    for (int sender = 0; sender < senders; ++sender) {
        threads.emplace_back([&, sender] {
            wire_client client = daemon->connect(static_cast<std::size_t>(sender % 2));
            for (int i = 0; i < events; ++i) {
                const auto answer = client.exchange(
                    request_text("POST", "/v1/events", event_text("e", "u", "id-" + std::to_string(i)),
                                 {{"Content-Type", "application/json"}}));
                EXPECT_EQ(answer.status, 202);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(daemon->wait_ledger("delivered", events));
    EXPECT_EQ(daemon->ledger("accepted"), static_cast<std::uint64_t>(events));
    EXPECT_EQ(api->duplicates(), 0U);
}

TEST_F(identity, is_forgotten_when_the_window_is_over) {
    start({{"intake.dedupe_max", "2"}});
    EXPECT_FALSE(is_duplicate(daemon->post(event_text("e", "u", "1"))));
    EXPECT_FALSE(is_duplicate(daemon->post(event_text("e", "u", "2"))));
    EXPECT_FALSE(is_duplicate(daemon->post(event_text("e", "u", "3"))));
    EXPECT_TRUE(is_duplicate(daemon->post(event_text("e", "u", "3"))));
    EXPECT_FALSE(is_duplicate(daemon->post(event_text("e", "u", "1"))));
}

} // namespace
} // namespace linkrunner::tests
