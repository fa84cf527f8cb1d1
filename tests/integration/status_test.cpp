// The documents and the page of the observe listener, before a running daemon in its states. What they say in
// each is in their schemas, in docs/status.md and in the runbook.
#include "support/daemon_test.hpp"
#include "support/json_schema.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string top = SOURCE_DIR "/";

class status_page : public daemon_test {
  protected:
    // /status and /history.json as their schemas say, and the state that is wanted in the first place.
    void expect_state(const std::string& code) {
        const boost::json::value status = parsed(daemon->observe("/status"));
        EXPECT_THAT(json_schema(top + "config/status.schema.json").offences(status), IsEmpty());
        EXPECT_THAT(json_schema(top + "config/history.schema.json")
                        .offences(parsed(daemon->observe("/history.json"))),
                    IsEmpty());
        EXPECT_EQ(status.at("states").at(0).at("code"), code.c_str());
        EXPECT_EQ(status.at("states").at(0).at("what_to_do").as_string().empty(), code == "healthy");
    }
    void post(int events = 1) {
        for (int i = 0; i < events; ++i) {
            EXPECT_EQ(daemon->post(event_text("e", "u" + std::to_string(i))).status, 202);
        }
    }
};

TEST(the_schemas, are_offended_by_what_is_missing_unknown_or_of_another_type) {
    const json_schema schema(top + "config/status.schema.json");
    EXPECT_THAT(schema.offences(boost::json::parse("{}")), testing::Contains(HasSubstr("without ledger")));
    EXPECT_THAT(schema.offences(boost::json::parse(R"({"schema":2,"more":1,"ledger":{"dead":"x"}})")),
                testing::IsSupersetOf({HasSubstr("/schema: const"), HasSubstr("/more: is not"),
                                       HasSubstr("/ledger/dead: type"), HasSubstr("/ledger: without lost")}));
}

TEST_F(status_page, keeps_its_schema_when_all_is_well) {
    start();
    expect_state("healthy");
    post(3);
    ASSERT_TRUE(daemon->wait_ledger("delivered", 3));
    expect_state("healthy");
    const auto status = daemon->status();
    EXPECT_EQ(status.at("since_start").at("attempts").at("delivered").to_number<int>(), 3);
    EXPECT_TRUE(status.at("upstream").at("last_success_seconds_ago").is_number());
}

TEST_F(status_page, says_that_delivery_is_throttled_and_until_when) {
    start_sandbox();
    api->add_faults("status=429 retry_after=100");
    start();
    post();
    ASSERT_TRUE(daemon->wait_state("throttled"));
    expect_state("throttled");
    EXPECT_GT(daemon->status().at("upstream").at("next_change_in_seconds").to_number<double>(), 50);
}

TEST_F(status_page, says_that_the_key_is_refused) {
    start_sandbox();
    api->set_key("another-key");
    start();
    post();
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    expect_state("held_unauthorized");
    EXPECT_THAT(daemon->observe("/status").body, HasSubstr("key file"));
}

TEST_F(status_page, says_that_the_account_is_suspended_or_the_address_wrong) {
    start_sandbox();
    api->add_faults("status=402");
    start({{"delivery.hold_probe", "50ms"}});
    post();
    ASSERT_TRUE(daemon->wait_state("held_suspended"));
    expect_state("held_suspended");
    api->clear_faults();
    api->add_faults("status=404");
    post(); // a probe between the two may have delivered the first one
    ASSERT_TRUE(daemon->wait_state("held_misconfigured"));
    expect_state("held_misconfigured");
}

TEST_F(status_page, says_that_the_api_is_out) {
    start_sandbox();
    api->add_faults("reset");
    start();
    post(12);
    ASSERT_TRUE(daemon->wait_state("outage"));
    expect_state("outage");
    EXPECT_TRUE(daemon->status().at("lanes").at(0).at("forecast_seconds").is_null());
}

TEST_F(status_page, says_that_it_is_stopping) {
    start_sandbox();
    api->add_faults("delay=2s");
    start({{"shutdown.drain", "20s"}});
    post();
    daemon->child().signal(SIGTERM);
    ASSERT_TRUE(daemon->wait_state("draining"));
    expect_state("draining");
    EXPECT_EQ(daemon->status().at("not_ready_reason"), "draining");
}

TEST_F(status_page, says_that_events_are_refused_before_the_state_of_delivery) {
    start_sandbox();
    api->add_faults("reset");
    start({{"spool.max_bytes", "1MiB"}});
    const std::string filler = "\"event_data\":{\"x\":\"" + std::string(60'000, 'x') + "\"}";
    for (int i = 0; i < 40; ++i) {
        daemon->post(event_text("e", "u" + std::to_string(i), "", filler));
    }
    ASSERT_EQ(daemon->observe("/readyz").status, 503);
    ASSERT_TRUE(daemon->wait_state("outage"));
    expect_state("queue_full");
    EXPECT_EQ(daemon->status().at("states").at(1).at("code"), "outage");
    EXPECT_THAT(daemon->observe("/readyz").body, StartsWith("queue_full"));
}

TEST_F(status_page, is_one_document_that_a_browser_may_keep_and_must_ask_for_again) {
    start();
    const http_answer first = daemon->observe("/");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.header("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(first.header("cache-control"), "no-cache");
    EXPECT_EQ(first.header("x-content-type-options"), "nosniff");
    EXPECT_THAT(first.header("content-security-policy"),
                StartsWith("default-src 'none'; script-src 'sha256-"));
    EXPECT_THAT(first.body, HasSubstr("<title>linkrunnerd</title>"));
    wire_client client(daemon->observe_address());
    const http_answer again =
        client.exchange(request_text("GET", "/", "", {{"If-None-Match", first.header("etag")}}));
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.header("etag"), first.header("etag"));
    EXPECT_EQ(client.exchange(request_text("GET", "/healthz")).status, 200); // the connection goes on
}

} // namespace
} // namespace linkrunner::tests
