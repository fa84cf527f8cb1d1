// How the intake speaks HTTP: connections, framing, invitations, TLS.
#include "sandbox/certificates.hpp"
#include "support/daemon_test.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <sys/stat.h>

namespace linkrunner::tests {
namespace {

class intake_http : public daemon_test {};

std::string post_text(const std::string& body, header_list headers = {}) {
    headers.emplace_back("Content-Type", "application/json");
    return request_text("POST", "/v1/events", body, headers);
}

TEST_F(intake_http, keeps_a_connection_for_many_requests) {
    start();
    for (const std::size_t listener : {0U, 1U}) {
        wire_client client = daemon->connect(listener);
        for (int i = 0; i < 50; ++i) {
            ASSERT_EQ(client.exchange(post_text(event_text("e", "u"))).status, 202);
        }
    }
    EXPECT_TRUE(api->wait_for_unique(100, patience));
}

TEST_F(intake_http, keeps_a_connection_after_a_refusal) {
    start();
    wire_client client = daemon->connect();
    EXPECT_EQ(client.exchange(post_text("{}")).status, 400);
    EXPECT_EQ(client.exchange(request_text("GET", "/v1/events")).status, 405);
    EXPECT_EQ(client.exchange(post_text(event_text("e", "u"))).status, 202);
}

TEST_F(intake_http, answers_pipelined_requests_in_their_order) {
    start();
    wire_client client = daemon->connect();
    std::string all;
    for (int i = 0; i < 40; ++i) {
        all += i % 4 == 3 ? post_text("{}") : post_text(event_text("e", "u", "id-" + std::to_string(i)));
    }
    client.send(all);
    for (int i = 0; i < 40; ++i) {
        const auto answer = client.receive();
        ASSERT_TRUE(answer);
        if (i % 4 == 3) {
            EXPECT_EQ(answer->status, 400);
        } else {
            EXPECT_EQ(answer->status, 202);
            EXPECT_EQ(text_at(*answer, "/data/event_id"), "id-" + std::to_string(i));
        }
    }
}

TEST_F(intake_http, invites_a_body_that_waits_and_refuses_one_it_does_not_want) {
    start();
    const std::string body = event_text("e", "u");
    wire_client client = daemon->connect();
    client.send(post_text("", {{"Expect", "100-continue"}, {"Content-Length", std::to_string(body.size())}}));
    EXPECT_EQ(client.receive()->status, 100);
    client.send(body);
    EXPECT_EQ(client.receive()->status, 202);

    wire_client unwanted = daemon->connect();
    unwanted.send(
        post_text("", {{"Expect", "100-continue"}, {"Content-Length", "100"}, {"Origin", "http://x"}}));
    EXPECT_EQ(unwanted.receive()->status, 403);
    wire_client large = daemon->connect();
    large.send(post_text("", {{"Expect", "100-continue"}, {"Content-Length", "99999999"}}));
    EXPECT_EQ(large.receive()->status, 413);
}

TEST_F(intake_http, takes_chunked_bodies) {
    start();
    const std::string body = event_text("e", "u", "chunked");
    wire_client client = daemon->connect();
    client.send(post_text("", {{"Transfer-Encoding", "chunked"}}));
    for (const char byte : body) {
        client.send("1\r\n" + std::string(1, byte) + "\r\n");
    }
    client.send("0\r\n\r\n");
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 202);
    ASSERT_TRUE(api->wait_for_unique(1, patience));
    EXPECT_EQ(api->events().at(0).body, body);
}

TEST_F(intake_http, takes_a_request_byte_by_byte) {
    start();
    wire_client client = daemon->connect();
    for (const char byte : post_text(event_text("e", "u"))) {
        ASSERT_TRUE(client.send(std::string_view(&byte, 1)));
    }
    EXPECT_EQ(client.receive()->status, 202);
}

TEST_F(intake_http, closes_when_the_client_asks_for_it) {
    start();
    wire_client client = daemon->connect();
    EXPECT_EQ(client.exchange(post_text(event_text("e", "u"), {{"Connection", "close"}})).status, 202);
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
    wire_client old = daemon->connect();
    const std::string body = event_text("e", "u");
    EXPECT_EQ(old.exchange("POST /v1/events HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           "Content-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body)
                  .status,
              202);
    EXPECT_EQ(old.wait_for_end(), wire_client::ending::eof);
}

TEST_F(intake_http, stores_what_a_client_sent_whole_though_it_did_not_wait_for_the_answer) {
    start();
    wire_client client = daemon->connect();
    client.send(post_text(event_text("e", "u", "hasty")));
    client.close();
    EXPECT_TRUE(api->wait_for_unique(1, patience));
    wire_client half = daemon->connect();
    half.send(post_text("{\"event_name\"", {{"Content-Length", "500"}}));
    half.reset();
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
}

TEST_F(intake_http, guards_its_unix_socket_by_mode_and_removes_it_at_the_end) {
    start({{"intake.unix_mode", "0600"}});
    const std::string path = home / "intake.sock";
    struct stat facts{};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U);
    EXPECT_EQ(daemon->stop(), 0);
    stopped = true;
    EXPECT_NE(::stat(path.c_str(), &facts), 0);
}

TEST_F(intake_http, replaces_a_stale_unix_socket_and_leaves_a_live_one_alone) {
    start();
    daemon->kill();
    start(); // the socket of the killed daemon is still there
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {}, 1).status, 202);
    setting_map other = settings;
    other["spool.directory"] = home / "other-spool";
    const auto [code, output] = run(daemon_command(linkrunnerd, other));
    EXPECT_EQ(code, 75) << output;
    EXPECT_EQ(daemon->post(event_text("e", "u"), "/v1/events", {}, 1).status, 202);
}

TEST_F(intake_http, refuses_peers_on_its_unix_socket_that_are_not_listed) {
    start({{"intake.allow_uids", std::to_string(::getuid() + 1)}});
    wire_client client = daemon->connect(1);
    const auto refused = client.exchange(post_text(event_text("e", "u")));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(code_of(refused), "forbidden_user");
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
}

TEST_F(intake_http, serves_tls_on_its_tcp_listeners) {
    namespace asio = boost::asio;
    const auto authority = sandbox::authority::make().value();
    const auto own = authority.issue({}).value();
    start({{"intake.listen", "127.0.0.1:0"},
           {"intake.tls.cert_file", home.write("server.crt", own.cert_pem)},
           {"intake.tls.key_file", home.write("server.key", own.key_pem)}});
    const std::string& address = daemon->listeners().at(0);
    asio::io_context context;
    asio::ssl::context tls(asio::ssl::context::tls_client);
    tls.set_verify_mode(asio::ssl::verify_peer);
    tls.add_certificate_authority(asio::buffer(authority.cert_pem()));
    asio::ssl::stream<asio::ip::tcp::socket> stream(context, tls);
    stream.set_verify_callback(asio::ssl::host_name_verification("127.0.0.1"));
    stream.next_layer().connect(
        {asio::ip::make_address("127.0.0.1"),
         static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)))});
    stream.handshake(asio::ssl::stream_base::client);
    asio::write(stream, asio::buffer(post_text(event_text("e", "u"), {{"Connection", "close"}})));
    std::string answer;
    boost::system::error_code ended;
    asio::read(stream, asio::dynamic_buffer(answer), ended);
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 202");
}

} // namespace
} // namespace linkrunner::tests
