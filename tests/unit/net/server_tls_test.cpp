// Listeners with TLS.
#include "server_fixture.hpp"
#include "support/net_certificates.hpp"
#include "support/net_tls_peer.hpp"

#include <csignal>

namespace linkrunner::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using tests::tls_peer;

const std::string get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

class server_tls_test : public server_test {
  protected:
    server_tls_test() {
        ::signal(SIGPIPE, SIG_IGN); // the test's own OpenSSL peer writes with write(2)
        auto where = at("127.0.0.1:0");
        where.tls.emplace();
        const auto good = authority.good();
        where.tls->cert_file = good.cert;
        where.tls->key_file = good.key;
        settings.listen.push_back(where);
    }

    server_tls& tls() { return *settings.listen[0].tls; }

    std::string failure() {
        return loop.call([this] {
            const auto made = server::open(loop.loop(), settings, handler);
            return made.has_value() ? std::string("none") : made.error().message;
        });
    }

    tests::temp_directory directory;
    tests::certificate_authority authority{directory, "ca"};
};

TEST_F(server_tls_test, serves_pipelined_requests_and_large_bodies) {
    handler.serve = [](request& whole, responder answer) {
        EXPECT_TRUE(whole.listener().tls);
        response made;
        made.body = std::move(whole.body());
        answer(std::move(made));
    };
    start();
    auto peer = tls_peer::client(client());
    ASSERT_TRUE(peer.secured());
    EXPECT_STREQ(SSL_get_version(peer.session()), "TLSv1.3");
    std::string many;
    for (int i = 0; i < 40; ++i) {
        many += post("/", "body" + std::to_string(i));
    }
    peer.send(many);
    for (int i = 0; i < 40; ++i) {
        EXPECT_THAT(peer.read_until("body" + std::to_string(i)), HasSubstr("HTTP/1.1 200"));
    }
    std::string body;
    for (int i = 0; body.size() < 1'000'000; ++i) {
        body += std::to_string(i) + ",";
    }
    peer.send(post("/", body + "end."));
    EXPECT_TRUE(peer.read_until("end.").ends_with(body + "end."));
}

TEST_F(server_tls_test, ends_with_a_proper_close_notify) {
    start();
    auto peer = tls_peer::client(client());
    peer.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(peer.read_to_end().ends_with("GET / "));
    EXPECT_EQ(SSL_get_shutdown(peer.session()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_F(server_tls_test, a_client_that_has_ended_its_side_gets_its_answer) {
    handler.serve = [&](request&, responder answer) { held = std::move(answer); };
    start();
    auto peer = tls_peer::client(client());
    peer.send(get);
    peer.end();
    await([&] { return static_cast<bool>(held); });
    loop.call([&] { held(response{}); });
    EXPECT_THAT(peer.read_to_end(), HasSubstr("HTTP/1.1 200"));
}

TEST_F(server_tls_test, versions_are_bounded_on_both_sides) {
    tls().min_version = "1.1";
    tls().max_version = "1.1";
    start();
    EXPECT_FALSE(tls_peer::client(client()).secured());
    auto old = tls_peer::client(client(), [](SSL_CTX* context) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    });
    ASSERT_TRUE(old.secured());
    EXPECT_STREQ(SSL_get_version(old.session()), "TLSv1.1");
    old.send(get);
    EXPECT_THAT(old.read_until("GET / "), HasSubstr("HTTP/1.1 200"));
}

TEST_F(server_tls_test, by_default_1_1_is_refused) {
    start();
    const auto old = tls_peer::client(client(), [](SSL_CTX* context) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    });
    EXPECT_FALSE(old.secured());
}

TEST_F(server_tls_test, clients_must_show_a_certificate_of_the_given_authority) {
    tls().client_ca_file = authority.file();
    start();
    const tests::certificate_authority stranger(directory, "stranger");
    const auto own = authority.issue("client", "DNS:client"),
               foreign = stranger.issue("foreign", "DNS:client");
    const auto said = [&](const tests::certificate_files* shown) {
        auto peer = tls_peer::client(client(), [&](SSL_CTX* context) {
            if (shown != nullptr) {
                SSL_CTX_use_certificate_chain_file(context, shown->cert.c_str());
                SSL_CTX_use_PrivateKey_file(context, shown->key.c_str(), SSL_FILETYPE_PEM);
            }
        });
        peer.send(get);
        return peer.read_until("GET / ");
    };
    EXPECT_THAT(said(&own), HasSubstr("HTTP/1.1 200"));
    EXPECT_EQ(said(nullptr), "");
    EXPECT_EQ(said(&foreign), "");
    EXPECT_EQ(handler.handled, 1);
}

TEST_F(server_tls_test, a_handshake_that_stalls_is_dropped_in_time) {
    settings.request_timeout = 50ms;
    start();
    EXPECT_EQ(exchange(""), "");
    EXPECT_EQ(exchange(std::string("\x16\x03\x01\x02\x00", 5)), "");
}

TEST_F(server_tls_test, plain_http_on_a_tls_port_ends_the_connection) {
    start();
    exchange(get);
    EXPECT_EQ(handler.heads, 0);
    await([this] { return served->connections() == 0; });
}

TEST_F(server_tls_test, stopping_in_the_middle_of_a_handshake_does_not_wait) {
    start();
    auto peer = client();
    await([this] { return served->connections() == 1; });
    std::atomic<bool> told{false};
    loop.call([&] { served->stop([&] { told = true; }); });
    EXPECT_TRUE(peer.ended());
    await([&] { return told.load(); });
}

TEST_F(server_tls_test, bad_files_and_versions_are_refused_at_the_start) {
    const auto before = tls();
    tls().cert_file = "/none.pem";
    EXPECT_THAT(failure(), HasSubstr("listen on 127.0.0.1:0: /none.pem: is not a readable PEM file"));
    tls() = before;
    tls().key_file = authority.issue("other", "DNS:other").key;
    EXPECT_THAT(failure(), HasSubstr("is not the key of the certificate"));
    tls() = before;
    tls().min_version = "1.4";
    EXPECT_THAT(failure(), HasSubstr("expected 1.0, 1.1, 1.2 or 1.3"));
    tls() = before;
    tls().client_ca_file = before.key_file;
    EXPECT_THAT(failure(), HasSubstr(before.key_file));
}

TEST_F(server_tls_test, another_certificate_is_shown_to_the_connections_to_come) {
    start();
    const auto shown = [](tls_peer& peer) {
        const std::unique_ptr<X509, decltype(&X509_free)> own(SSL_get1_peer_certificate(peer.session()),
                                                              &X509_free);
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned length = 0;
        X509_digest(own.get(), EVP_sha256(), digest, &length);
        return std::string(reinterpret_cast<const char*>(digest), length);
    };
    auto before = tls_peer::client(client());
    ASSERT_TRUE(before.secured());
    const auto renewed = authority.issue("renewed", "DNS:localhost");
    tls().cert_file = renewed.cert;
    tls().key_file = renewed.key;
    loop.call([this] {
        auto made = served->prepare(settings);
        ASSERT_TRUE(made.has_value()) << made.error().message;
        served->apply(std::move(*made));
    });
    auto after = tls_peer::client(client());
    ASSERT_TRUE(after.secured());
    EXPECT_NE(shown(after), shown(before));
    for (tls_peer* each : {&before, &after}) {
        each->send(get);
        EXPECT_THAT(each->read_until("GET / "), HasSubstr("HTTP/1.1 200"));
    }
}

} // namespace
} // namespace linkrunner::net
