// The client behind a proxy that the test plays.
#include "client_fixture.hpp"
#include "support/net_certificates.hpp"
#include "support/net_tls_peer.hpp"

#include <csignal>

namespace linkrunner::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using tests::tls_peer;

// `upstream` is the proxy's side here; the name of the real one resolves nowhere.
class client_proxy_test : public client_test {
  protected:
    client_proxy_test() {
        ::signal(SIGPIPE, SIG_IGN); // the test's own OpenSSL peer writes with write(2)
        settings.proxy = "http://" + upstream.address();
        settings.url = "https://api.invalid/base";
        settings.ca_file = authority.file();
    }

    answer failure_when_proxy_says(const std::string& bytes) {
        auto coming = send();
        auto peer = upstream.accept();
        peer.read_until("\r\n\r\n");
        peer.send(bytes);
        peer.shutdown_write();
        return get(coming);
    }

    tests::temp_directory directory;
    tests::certificate_authority authority{directory, "ca"};
};

TEST_F(client_proxy_test, https_goes_through_a_tunnel_and_is_verified_against_the_real_host) {
    settings.proxy = "http://us%65r:p%40ss@" + upstream.address();
    auto coming = send("/x");
    auto socket = upstream.accept();
    EXPECT_EQ(socket.read_until("\r\n\r\n"),
              "CONNECT api.invalid:443 HTTP/1.1\r\nHost: api.invalid:443\r\nUser-Agent: "
              "linkrunnerd/" LINKRUNNER_VERSION "\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n");
    socket.send(
        "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n"); // no body follows: RFC 9110
    const auto shown = authority.issue("api", "DNS:api.invalid");
    auto peer = tls_peer::server(std::move(socket), shown.cert, shown.key);
    ASSERT_TRUE(peer.secured());
    const auto seen = peer.read_until("{}");
    EXPECT_THAT(seen, HasSubstr("POST /base/x HTTP/1.1\r\nHost: api.invalid\r\n"));
    EXPECT_THAT(seen, ::testing::Not(HasSubstr("Proxy-Authorization")));
    peer.send(ok("through"));
    const auto got = get(coming);
    EXPECT_EQ(got.body, "through");
    auto second = send("/y");
    EXPECT_THAT(peer.read_until("{}"), HasSubstr("POST /base/y"));
    peer.send(ok("again"));
    EXPECT_TRUE(get(second).reused);
}

TEST_F(client_proxy_test, a_certificate_of_the_proxy_will_not_do) {
    auto coming = send();
    auto socket = upstream.accept();
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.0 200 OK\r\n\r\n");
    const auto shown = authority.good(); // for 127.0.0.1
    tls_peer::server(std::move(socket), shown.cert, shown.key);
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::tls);
    EXPECT_THAT(got.detail, HasSubstr("hostname mismatch"));
}

TEST_F(client_proxy_test, http_is_asked_for_in_absolute_form_one_request_a_connection) {
    settings.url = "http://api.invalid:8080/base/";
    settings.proxy = "http://u:p@" + upstream.address();
    auto coming = send("/x");
    auto peer = upstream.accept();
    const auto seen = read_request(peer);
    EXPECT_THAT(seen, ::testing::StartsWith(
                          "POST http://api.invalid:8080/base/x HTTP/1.1\r\nHost: api.invalid:8080\r\n"));
    EXPECT_THAT(seen, HasSubstr("Proxy-Authorization: Basic dTpw\r\nConnection: close\r\n"));
    peer.send(ok("x"));
    EXPECT_EQ(get(coming).status, 200);
    EXPECT_TRUE(peer.ended());
}

TEST_F(client_proxy_test, what_the_proxy_does_wrong_is_told) {
    const auto refused = failure_when_proxy_says("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    EXPECT_EQ(refused.failure, transport_error::proxy);
    EXPECT_EQ(refused.detail, "the proxy answered CONNECT api.invalid:443 with 407");
    EXPECT_FALSE(refused.sent_whole);
    EXPECT_FALSE(refused.answer_begun);
    EXPECT_EQ(failure_when_proxy_says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad").detail,
              "the proxy answered CONNECT api.invalid:443 with 502");
    EXPECT_EQ(failure_when_proxy_says("").detail, "the proxy closed the connection");
    EXPECT_EQ(failure_when_proxy_says("HTTP/1.1 200 OK\r\n").detail, "the proxy closed the connection");
    EXPECT_EQ(failure_when_proxy_says("SOCKS?\r\n\r\n").detail, "the proxy's answer to CONNECT is malformed");
    EXPECT_EQ(failure_when_proxy_says("HTTP/1.1 200 OK\r\n\r\nsmuggled").detail,
              "the proxy's answer to CONNECT is malformed");
    EXPECT_EQ(failure_when_proxy_says("HTTP/1.1 200 OK\r\nA: " + std::string(20'000, 'a')).failure,
              transport_error::proxy);
}

TEST_F(client_proxy_test, an_answer_of_the_proxy_that_does_not_come_times_out) {
    settings.connect_timeout = 100ms;
    auto coming = send();
    auto peer = upstream.accept();
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::timeout);
    EXPECT_EQ(got.detail, "no answer of the proxy within 100 ms");
}

TEST_F(client_proxy_test, a_proxy_that_is_not_there_is_a_proxy_failure) {
    upstream.close();
    auto coming = send();
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::proxy);
    EXPECT_EQ(got.detail, "proxy: connect to " + upstream.address() + ": Connection refused");
}

} // namespace
} // namespace linkrunner::net
