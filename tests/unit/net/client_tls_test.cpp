// The client over TLS, against servers good and bad.
#include "client_fixture.hpp"
#include "support/net_certificates.hpp"
#include "support/net_tls_peer.hpp"

#include <csignal>

namespace linkrunner::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using tests::tls_peer;

class client_tls_test : public client_test {
  protected:
    client_tls_test() {
        ::signal(SIGPIPE, SIG_IGN); // the test's own OpenSSL peer writes with write(2)
        settings.url = "https://localhost:" + std::to_string(upstream.port());
        settings.ca_file = authority.file();
    }

    // What becomes of a request when the server shows `shown`.
    answer answer_with(const tests::certificate_files& shown, const tls_peer::setup& prepare = {}) {
        auto coming = send();
        auto peer = tls_peer::server(upstream.accept(), shown.cert, shown.key, prepare);
        if (peer.secured() && !peer.read_until("{}").empty()) {
            peer.send(ok("fine"));
        }
        return get(coming);
    }

    tests::temp_directory directory;
    tests::certificate_authority authority{directory, "ca"};
};

TEST_F(client_tls_test, talks_to_a_trusted_server_by_name_with_sni_and_alpn) {
    auto coming = send();
    const auto good = authority.good();
    auto peer = tls_peer::server(upstream.accept(), good.cert, good.key, [](SSL_CTX* context) {
        SSL_CTX_set_alpn_select_cb(
            context,
            [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned,
               void*) {
                *out = in + 1;
                *size = in[0];
                return SSL_TLSEXT_ERR_OK;
            },
            nullptr);
    });
    ASSERT_TRUE(peer.secured());
    EXPECT_STREQ(SSL_get_version(peer.session()), "TLSv1.3");
    EXPECT_STREQ(SSL_get_servername(peer.session(), TLSEXT_NAMETYPE_host_name), "localhost");
    const unsigned char* protocol = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(peer.session(), &protocol, &length);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), length), "http/1.1");
    peer.read_until("{}");
    peer.send(ok("fine"));
    const auto got = get(coming);
    EXPECT_EQ(got.body, "fine");
    EXPECT_TRUE(got.sent_whole);
}

TEST_F(client_tls_test, tls_1_2_will_do_and_1_1_will_not) {
    const auto good = authority.good();
    EXPECT_EQ(
        answer_with(good, [](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); })
            .body,
        "fine");
    loop.call([this] { sender.reset(); });
    const auto old = answer_with(good, [](SSL_CTX* context) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    });
    EXPECT_EQ(old.failure, transport_error::tls);
    EXPECT_FALSE(old.sent_whole);
    EXPECT_THAT(old.detail, HasSubstr("protocol version"));
}

TEST_F(client_tls_test, an_address_is_verified_as_one) {
    settings.url = "https://127.0.0.1:" + std::to_string(upstream.port());
    EXPECT_EQ(answer_with(authority.good()).body, "fine");
    loop.call([this] { sender.reset(); });
    const auto got = answer_with(authority.issue("names", "DNS:127.0.0.1,DNS:localhost"));
    EXPECT_EQ(got.failure, transport_error::tls);
    EXPECT_THAT(got.detail, HasSubstr("IP address mismatch"));
}

TEST_F(client_tls_test, bad_certificates_are_refused_with_the_reason) {
    const tests::certificate_authority stranger(directory, "stranger");
    const std::vector<std::pair<tests::certificate_files, std::string>> cases{
        {authority.expired(), "certificate has expired"},
        {authority.wrong_host(), "hostname mismatch"},
        {stranger.good(), "unable to get local issuer certificate"},
        {authority.issue("early", "DNS:localhost", std::chrono::days(2)), "certificate is not yet valid"},
        {authority.issue("none", "DNS:*"), "hostname mismatch"}};
    for (const auto& [shown, reason] : cases) {
        const auto got = answer_with(shown);
        EXPECT_EQ(got.failure, transport_error::tls) << reason;
        EXPECT_EQ(got.detail, "TLS with localhost:" + std::to_string(upstream.port()) +
                                  ": certificate not accepted: " + reason);
        EXPECT_FALSE(got.sent_whole);
    }
}

TEST_F(client_tls_test, without_a_ca_file_the_systems_store_decides) {
    settings.ca_file = "";
    EXPECT_EQ(answer_with(authority.good()).failure, transport_error::tls);
}

TEST_F(client_tls_test, a_server_that_speaks_no_tls_is_a_tls_failure) {
    auto coming = send();
    auto peer = upstream.accept();
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::tls);
    EXPECT_THAT(got.detail, HasSubstr("wrong version number"));
}

TEST_F(client_tls_test, a_server_that_hangs_up_in_the_handshake_is_a_tls_failure) {
    auto coming = send();
    upstream.accept().close();
    EXPECT_EQ(get(coming).failure, transport_error::tls);
}

TEST_F(client_tls_test, a_handshake_that_does_not_come_about_times_out) {
    settings.connect_timeout = 100ms;
    auto coming = send();
    auto peer = upstream.accept();
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::timeout);
    EXPECT_EQ(got.detail, "no TLS handshake within 100 ms");
}

TEST_F(client_tls_test, sessions_are_resumed) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto good = authority.good();
        loop.call([this] { sender.reset(); });
        // Each connection has a server context of its own: they share the key of their tickets.
        const auto prepare = [&](SSL_CTX* context) {
            SSL_CTX_set_max_proto_version(context, version);
            std::string keys(80, 'k');
            SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), 80);
        };
        for (int i = 0; i < 3; ++i) {
            auto coming = send();
            auto peer = tls_peer::server(upstream.accept(), good.cert, good.key, prepare);
            ASSERT_TRUE(peer.secured());
            EXPECT_EQ(SSL_session_reused(peer.session()), i > 0 ? 1 : 0) << version << " " << i;
            peer.read_until("{}");
            peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            EXPECT_EQ(get(coming).status, 200);
        }
    }
}

TEST_F(client_tls_test, shows_its_certificate_when_asked) {
    const auto own = authority.issue("client", "DNS:client");
    settings.client_cert_file = own.cert;
    settings.client_key_file = own.key;
    const auto demand = [&](SSL_CTX* context) {
        SSL_CTX_load_verify_file(context, authority.file().c_str());
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    };
    const auto good = authority.good();
    EXPECT_EQ(answer_with(good, demand).body, "fine");
    loop.call([this] { sender.reset(); });
    settings.client_cert_file = settings.client_key_file = "";
    const auto without = answer_with(good, demand); // TLS 1.3 tells it after the handshake
    EXPECT_NE(without.failure, transport_error::none);
    EXPECT_THAT(without.detail, HasSubstr("certificate required"));
}

TEST_F(client_tls_test, files_that_do_not_fit_are_refused_at_the_start) {
    const auto own = authority.issue("client", "DNS:client"), other = authority.issue("other", "DNS:other");
    const auto reason = [&](const std::string& cert, const std::string& key) {
        client_settings options = settings;
        options.client_cert_file = cert;
        options.client_key_file = key;
        return loop.call([&] {
            const auto made = client::make(loop.loop(), options);
            return made.has_value() ? std::string("none") : made.error().message;
        });
    };
    EXPECT_EQ(reason(own.cert, own.key), "none");
    EXPECT_THAT(reason(own.cert, other.key), HasSubstr(other.key + ": is not the key of the certificate in"));
    EXPECT_THAT(reason(own.key, own.key),
                HasSubstr(own.key + ": is not a readable PEM file with a certificate"));
    EXPECT_THAT(reason(own.cert, own.cert),
                HasSubstr(own.cert + ": is not a readable PEM file with a private key"));
    EXPECT_THAT(reason(own.cert, ""), HasSubstr("key file: is not a readable"));
}

TEST_F(client_tls_test, the_end_of_the_stream_ends_an_answer_only_when_tls_ended_too) {
    const auto good = authority.good();
    for (const bool properly : {true, false}) {
        auto coming = send();
        auto peer = tls_peer::server(upstream.accept(), good.cert, good.key);
        peer.read_until("{}");
        peer.send("HTTP/1.0 200 OK\r\n\r\nhalf or whole");
        if (properly) {
            peer.end();
        }
        peer.socket().shutdown_write();
        const auto got = get(coming);
        EXPECT_EQ(got.failure, properly ? transport_error::none : transport_error::reset);
        EXPECT_EQ(got.body, properly ? "half or whole" : "");
    }
}

TEST_F(client_tls_test, a_sized_answer_needs_no_proper_end) {
    const auto good = authority.good();
    auto coming = send();
    auto peer = tls_peer::server(upstream.accept(), good.cert, good.key);
    peer.read_until("{}");
    peer.send(ok("whole"));
    peer.socket().shutdown_write();
    EXPECT_EQ(get(coming).body, "whole");
    await_open(0);
}

TEST_F(client_tls_test,
       an_idle_connection_closed_by_the_peer_is_noticed_and_tickets_are_not_mistaken_for_it) {
    const auto good = authority.good();
    auto first = send();
    auto peer = tls_peer::server(upstream.accept(), good.cert, good.key);
    peer.read_until("{}");
    peer.send(ok("1"));
    get(first);
    SSL_new_session_ticket(peer.session());
    SSL_do_handshake(peer.session());
    SSL_key_update(peer.session(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(peer.session());
    auto second = send();
    peer.read_until("{}");
    peer.send(ok("2"));
    EXPECT_TRUE(get(second).reused);
    peer.end();
    await_open(0);
}

TEST_F(client_tls_test, large_requests_and_answers_pass) {
    settings.max_answer_bytes = 8 << 20;
    const auto good = authority.good();
    std::string body;
    for (int i = 0; body.size() < 3'000'000; ++i) {
        body += std::to_string(i) + ",";
    }
    auto coming = send("/x", body + "end.");
    auto peer = tls_peer::server(upstream.accept(), good.cert, good.key);
    std::string seen;
    char bytes[16 * 1024];
    while (!seen.ends_with("end.")) {
        const int read = SSL_read(peer.session(), bytes, sizeof bytes);
        ASSERT_GT(read, 0);
        seen.append(bytes, static_cast<std::size_t>(read));
    }
    EXPECT_TRUE(seen.ends_with("\r\n\r\n" + body + "end."));
    peer.send(ok(body));
    EXPECT_EQ(get(coming).body, body);
}

} // namespace
} // namespace linkrunner::net
