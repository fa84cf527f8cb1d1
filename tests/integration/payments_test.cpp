// Payments and their removal, from the drop-in paths to a sandbox that deduplicates as the API documents it.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

constexpr const char* capture = "/api/v1/capture-payment";
constexpr const char* remove_one = "/api/v1/remove-payment";

class payments : public daemon_test {
  protected:
    void start_with(const std::string& faults, const setting_map& changes = {}) {
        start_sandbox();
        api->add_faults(faults);
        start(changes);
    }

    http_answer pay(const std::string& user, const std::string& payment_id, const std::string& more = "") {
        return daemon->post(R"({"user_id":")" + user + R"(","payment_id":")" + payment_id +
                                R"(","amount":12.50)" + more + "}",
                            capture);
    }
    http_answer take_back(const std::string& payment_id) {
        return daemon->post(R"({"payment_id":")" + payment_id + R"("})", remove_one);
    }

    // Payments that the API holds, and how many it has removed and ignored.
    struct books {
        std::size_t held = 0;
        std::uint64_t removed = 0, ignored = 0;
        bool operator==(const books&) const = default;
    };
    books of_api() {
        books out;
        api->with([&](sandbox::api& state, sandbox::server&) {
            out = {state.paid().held().size(), state.paid().removed(), state.paid().ignored()};
        });
        return out;
    }
};

TEST_F(payments, go_to_their_own_paths_as_they_came) {
    start();
    const http_answer paid = pay("u", "p1", R"(, "type":"ONE_TIME")");
    EXPECT_EQ(paid.status, 201);
    EXPECT_EQ(text_at(paid, "/data/event_id"), "p1");
    const http_answer removed = take_back("p1");
    EXPECT_EQ(removed.status, 200) << "as the API documents it";
    ASSERT_TRUE(daemon->wait_ledger("delivered", 2));
    const auto received = api->events();
    EXPECT_EQ(received.at(0).path, endpoint::capture_payment);
    EXPECT_EQ(received.at(0).body, R"({"user_id":"u","payment_id":"p1","amount":12.50, "type":"ONE_TIME"})");
    EXPECT_EQ(received.at(1).path, endpoint::remove_payment);
    EXPECT_EQ(of_api(), (books{0, 1, 0}));
}

TEST_F(payments, are_stored_once_for_type_and_payment_id) {
    start();
    EXPECT_EQ(pay("u", "p1").status, 201);
    const http_answer again = pay("u", "p1");
    EXPECT_EQ(again.status, 201);
    EXPECT_TRUE(parsed(again).at_pointer("/data/duplicate").as_bool());
    const http_answer other = pay("u", "p1", R"(,"status":"PAYMENT_FAILED")");
    EXPECT_EQ(other.status, 409);
    EXPECT_EQ(code_of(other), "identity_conflict");
    EXPECT_EQ(text_at(other, "/data/pointer"), "/payment_id");
    EXPECT_EQ(pay("u", "p1", R"(,"type":"RECURRING")").status, 201);
    ASSERT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(of_api(), (books{2, 0, 0}));
}

TEST_F(payments, come_in_batches_with_events) {
    start();
    const std::string lines =
        event_text("e", "u", "1") + "\n" +
        R"({"type":"capture-payment","payload":{"user_id":"u","payment_id":"p","amount":1}})" + "\n" +
        R"({"type":"remove-payment","payload":{"payment_id":"p"}})" + "\n" +
        R"({"type":"capture-payment","payload":{"user_id":"u","amount":"much"}})";
    const http_answer answer = daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}});
    EXPECT_EQ(answer.status, 207);
    EXPECT_EQ(number_at(answer, "/data/accepted"), 3);
    EXPECT_EQ(text_at(answer, "/data/rejected/0/pointer"), "/payload/amount");
    ASSERT_TRUE(daemon->wait_ledger("delivered", 3));
    EXPECT_EQ(of_api(), (books{0, 1, 0}));
}

TEST_F(payments, are_never_overtaken_by_their_removal) {
    start_with("name=capture-payment count=3 status=503");
    for (const char* id : {"p1", "p2", "p3"}) {
        EXPECT_EQ(pay("u", id).status, 201);
        EXPECT_EQ(take_back(id).status, 200);
    }
    ASSERT_TRUE(daemon->wait_ledger("delivered", 6));
    EXPECT_EQ(of_api(), (books{0, 3, 0}));
    EXPECT_EQ(daemon->ledger("dead"), 0U);
}

TEST_F(payments, of_a_user_are_removed_together_only_where_that_is_allowed) {
    start();
    const http_answer refused = daemon->post(R"({"user_id":"u"})", remove_one);
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(code_of(refused), "remove_all_payments");
    EXPECT_THAT(refused.body, HasSubstr("events.remove_all_payments"));
    start({{"events.remove_all_payments", "true"}});
    EXPECT_EQ(pay("u", "p1").status, 201);
    EXPECT_EQ(pay("u", "p2").status, 201);
    EXPECT_EQ(daemon->post(R"({"user_id":"u"})", remove_one).status, 200);
    ASSERT_TRUE(daemon->wait_ledger("delivered", 3));
    EXPECT_EQ(of_api(), (books{0, 2, 0}));
}

TEST_F(payments, that_are_dead_letters_are_named_by_the_letter_of_their_removal) {
    start_with("name=capture-payment status=422");
    EXPECT_EQ(pay("u", "p1").status, 201);
    ASSERT_TRUE(daemon->wait_ledger("dead", 1));
    EXPECT_EQ(take_back("p1").status, 200);
    EXPECT_EQ(take_back("p2").status, 200);
    ASSERT_TRUE(daemon->wait_ledger("dead", 3));
    EXPECT_THAT(daemon->control("GET", "/v1/dead/2").body, HasSubstr("it is dead letter 1"));
    const std::string unknown = daemon->control("GET", "/v1/dead/3").body;
    EXPECT_THAT(unknown, HasSubstr("No payment found"));
    EXPECT_THAT(unknown, testing::Not(HasSubstr("is dead letter")));
    EXPECT_EQ(daemon->upstream_state(), "healthy");
}

TEST_F(payments, removed_by_an_attempt_without_an_answer_are_not_a_dead_letter) {
    start_with("name=remove-payment count=1 processed reset");
    EXPECT_EQ(pay("u", "p1").status, 201);
    EXPECT_EQ(take_back("p1").status, 200);
    ASSERT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(of_api(), (books{0, 1, 0}));
    EXPECT_EQ(daemon->ledger("dead"), 0U);
}

TEST_F(payments, keep_identity_and_order_over_a_kill) {
    start_sandbox();
    api->set_listening(false);
    start();
    EXPECT_EQ(pay("u", "p1").status, 201);
    EXPECT_EQ(take_back("p1").status, 200);
    daemon->kill();
    start();
    EXPECT_TRUE(parsed(pay("u", "p1")).at_pointer("/data/duplicate").as_bool());
    api->set_listening(true);
    ASSERT_TRUE(daemon->wait_ledger("delivered", 2));
    EXPECT_EQ(of_api(), (books{0, 1, 0}));
}

} // namespace
} // namespace linkrunner::tests
