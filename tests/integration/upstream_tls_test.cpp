// HTTPS upstream: whom the daemon trusts, what it speaks, and that it sends nothing to others.
#include "sandbox/certificates.hpp"
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class upstream_tls : public daemon_test {
  protected:
    template <class Change>
    void start_tls(Change change) {
        sandbox::server_settings options = sandbox::background::any_port();
        options.tls = true;
        change(options.security);
        start_sandbox(keyed(), options);
        settings["upstream.ca_file"] = home.write("ca.crt", api->ca_pem());
    }

    // The daemon must not send a byte of HTTP to this one, and keep the event.
    void expect_distrust(const std::string& reason) {
        start();
        EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
        ASSERT_TRUE(daemon->wait_state("outage"));
        EXPECT_THAT(std::string(daemon->status().at("upstream").at("last_error").at("what").as_string()),
                    HasSubstr(reason));
        EXPECT_EQ(api->sums().requests, 0U);
        EXPECT_EQ(daemon->ledger("pending"), 1U);
    }
};

TEST_F(upstream_tls, delivers_to_a_server_that_it_trusts) {
    start_tls([](auto&) {});
    start();
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
}

TEST_F(upstream_tls, checks_the_name_in_the_url) {
    start_tls([](auto& tls) { tls.names = {"localhost"}; });
    start({{"upstream.url", "https://localhost:" + std::to_string(api->port()) + "/api/v1"}});
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    EXPECT_TRUE(daemon->wait_ledger("delivered", 1));
}

TEST_F(upstream_tls, speaks_1_2_and_1_3) {
    for (const char* version : {"1.2", "1.3"}) {
        start_tls([&](auto& tls) { tls.min_version = tls.max_version = version; });
        start({{"spool.directory", home / (std::string("spool-") + version)}});
        EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
        EXPECT_TRUE(daemon->wait_ledger("delivered", 1)) << version;
    }
}

TEST_F(upstream_tls, resumes_its_session_on_a_new_connection) {
    start_tls([](auto&) {});
    api->add_faults("connection=close");
    start();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
        EXPECT_TRUE(daemon->wait_ledger("delivered", static_cast<std::uint64_t>(i) + 1));
    }
    EXPECT_GE(api->sums().tls_resumed, 3U);
}

TEST_F(upstream_tls, distrusts_an_expired_certificate) {
    start_tls([](auto& tls) { tls.expired = true; });
    expect_distrust("expired");
}

TEST_F(upstream_tls, distrusts_a_certificate_for_another_host) {
    start_tls([](auto& tls) { tls.names = {"api.example.test"}; });
    expect_distrust("127.0.0.1");
}

TEST_F(upstream_tls, distrusts_an_unknown_authority) {
    start_tls([](auto&) {});
    settings["upstream.ca_file"] = home.write("ca.crt", sandbox::authority::make()->cert_pem());
    expect_distrust("certificate");
}

TEST_F(upstream_tls, distrusts_a_private_authority_without_ca_file) {
    start_tls([](auto&) {});
    settings["upstream.ca_file"] = "";
    expect_distrust("certificate");
}

TEST_F(upstream_tls, does_not_speak_1_1) {
    start_tls([](auto& tls) { tls.min_version = tls.max_version = "1.1"; });
    expect_distrust("");
    EXPECT_GT(api->sums().tls_failed, 0U);
}

TEST_F(upstream_tls, does_not_talk_tls_to_a_plain_server_nor_plain_to_a_tls_server) {
    start_sandbox(keyed());
    start({{"upstream.url", "https://127.0.0.1:" + std::to_string(api->port()) + "/api/v1"},
           {"upstream.connect_timeout", "200ms"}});
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    EXPECT_TRUE(daemon->wait_state("outage"));
    EXPECT_EQ(api->sums().requests, 0U);
    start_tls([](auto&) {});
    start({{"upstream.url", "http://127.0.0.1:" + std::to_string(api->port()) + "/api/v1"}});
    EXPECT_TRUE(daemon->wait_state("outage"));
    EXPECT_EQ(api->sums().requests, 0U);
}

} // namespace
} // namespace linkrunner::tests
