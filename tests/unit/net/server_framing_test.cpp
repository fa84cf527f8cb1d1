// What is refused, and with which status; bodies and their limits.
#include "server_fixture.hpp"

namespace linkrunner::net {
namespace {

using namespace std::chrono_literals;

struct malformed {
    const char* name;
    std::string bytes;
    int status;
};

void PrintTo(const malformed& which, std::ostream* out) {
    *out << which.name;
}

class server_refuses : public server_test, public ::testing::WithParamInterface<malformed> {};

TEST_P(server_refuses, and_closes) {
    settings.max_header_bytes = 2048;
    settings.max_body_bytes = 100;
    start();
    const auto said = exchange(GetParam().bytes);
    EXPECT_TRUE(said.starts_with("HTTP/1.1 " + std::to_string(GetParam().status))) << said;
    EXPECT_THAT(said, ::testing::HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(handler.handled, 0);
}

const std::string host = "Host: x\r\n";

INSTANTIATE_TEST_SUITE_P(
    , server_refuses,
    ::testing::Values(
        malformed{"both_length_and_chunked",
                  "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                  400},
        malformed{"both_chunked_and_length",
                  "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
                  400},
        malformed{"chunked_in_http_1_0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n",
                  400},
        malformed{"other_encoding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", 400},
        malformed{"encoding_before_chunked",
                  "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
        malformed{"encoding_after_chunked",
                  "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n", 400},
        malformed{"two_encodings",
                  "POST / HTTP/1.1\r\n" + host +
                      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                  400},
        malformed{"two_lengths",
                  "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
        malformed{"a_list_of_lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3, 3\r\n\r\nabc", 400},
        malformed{"negative_length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -3\r\n\r\nabc", 400},
        malformed{"signed_length", "POST / HTTP/1.1\r\n" + host + "Content-Length: +3\r\n\r\nabc", 400},
        malformed{"huge_length",
                  "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
        malformed{"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
        malformed{"two_hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
        malformed{"two_hosts_in_1_0", "GET / HTTP/1.0\r\n" + host + host + "\r\n", 400},
        malformed{"bad_host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        malformed{"host_with_user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
        malformed{"host_with_space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        malformed{"space_before_colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        malformed{"nul_in_header", "GET / HTTP/1.1\r\nHost: x\r\nA: b" + std::string(1, '\0') + "c\r\n\r\n",
                  400},
        malformed{"line_feed_alone", "GET / HTTP/1.1\nHost: x\n\n", 400},
        malformed{"carriage_return_alone", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400},
        malformed{"http_2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        malformed{"http_0_9", "GET /\r\n\r\n", 400},
        malformed{"version_1_2", "GET / HTTP/1.2\r\n" + host + "\r\n", 400},
        malformed{"tls_on_a_plain_port", "\x16\x03\x01\x02", 400},
        malformed{"garbage", "!!\x01\x02\x03 something", 400},
        malformed{"a_very_long_word", std::string(100, 'A'), 400},
        malformed{"authority_form", "CONNECT example.org:443 HTTP/1.1\r\n" + host + "\r\n", 400},
        malformed{"relative_target", "GET index.html HTTP/1.1\r\n" + host + "\r\n", 400},
        malformed{"empty_authority", "GET http:///x HTTP/1.1\r\n" + host + "\r\n", 400},
        malformed{"bad_chunk_size",
                  "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        malformed{"chunk_longer_than_said",
                  "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
                  400},
        malformed{"endless_chunk_extension",
                  "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2;" +
                      std::string(9000, 'e'),
                  400},
        malformed{"long_header", "GET / HTTP/1.1\r\n" + host + "A: " + std::string(3000, 'a') + "\r\n\r\n",
                  431},
        malformed{"long_target", "GET /" + std::string(3000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 431},
        malformed{"long_header_without_end", "GET / HTTP/1.1\r\nA: " + std::string(3000, 'a'), 431},
        malformed{"post_without_length", "POST / HTTP/1.1\r\n" + host + "\r\n", 411},
        malformed{"post_without_length_in_1_0", "POST / HTTP/1.0\r\n\r\nbody", 411},
        malformed{"body_too_large", "POST / HTTP/1.1\r\n" + host + "Content-Length: 101\r\n\r\n", 413},
        malformed{"chunked_body_too_large",
                  "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n60\r\n" +
                      std::string(0x60, 'a') + "\r\n60\r\n" + std::string(0x60, 'a') + "\r\n0\r\n\r\n",
                  413}),
    [](const auto& each) { return each.param.name; });

TEST_F(server_test, header_lines_that_trickle_in_count_together) {
    settings.max_header_bytes = 2048;
    start();
    auto peer = client();
    peer.send("GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 1000 && peer.try_send("A: 0123456789\r\n"); ++i) {
    }
    EXPECT_TRUE(peer.read_to_end().starts_with("HTTP/1.1 431"));
}

TEST_F(server_test, headers_up_to_the_limit_are_fine) {
    start();
    auto peer = client();
    peer.send("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(16'000, 'a') + "\r\n\r\n");
    EXPECT_EQ(peer.read_answer().status, 200);
}

TEST_F(server_test, an_answer_survives_a_client_that_is_still_sending) {
    settings.max_body_bytes = 1000;
    start();
    for (int i = 0; i < 20; ++i) {
        auto peer = client();
        peer.try_send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
        peer.try_send(std::string(3'000'000, 'x'));
        EXPECT_TRUE(peer.read_to_end().starts_with("HTTP/1.1 413"));
    }
}

TEST_F(server_test, an_early_refusal_of_a_small_body_keeps_the_connection) {
    handler.refuse = [](request& head) -> std::optional<response> {
        if (head.path() != "/no") {
            return std::nullopt;
        }
        response made;
        made.status = 404;
        return made;
    };
    start();
    auto peer = client();
    peer.send("POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    EXPECT_EQ(peer.read_answer().status, 404); // before the body is there
    peer.send(std::string(60'000, 'x') + post("/yes", "y"));
    EXPECT_EQ(peer.read_answer().body, "POST /yes y");
    peer.send("POST /no HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
              post("/yes", "z"));
    EXPECT_EQ(peer.read_answer().status, 404);
    EXPECT_EQ(peer.read_answer().body, "POST /yes z");
    EXPECT_EQ(handler.handled, 2);
}

TEST_F(server_test, an_early_refusal_of_a_large_body_closes) {
    handler.refuse = [](request&) -> std::optional<response> {
        response made;
        made.status = 403;
        return made;
    };
    start();
    auto sized = client();
    sized.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n");
    EXPECT_EQ(sized.read_answer().headers["connection"], "close");
    EXPECT_TRUE(sized.ended());
    auto chunked = client();
    chunked.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(chunked.read_answer().status, 403);
    chunked.try_send("20000\r\n" + std::string(0x20000, 'x'));
    EXPECT_TRUE(chunked.ended());
}

TEST_F(server_test, continue_is_said_only_when_nothing_speaks_against_the_body) {
    handler.refuse = [](request& head) -> std::optional<response> {
        if (head.path() != "/no") {
            return std::nullopt;
        }
        response made;
        made.status = 405;
        return made;
    };
    settings.max_body_bytes = 10;
    start();
    const std::string expect = "Host: x\r\nExpect: 100-Continue\r\nContent-Length: ";
    auto peer = client();
    peer.send("POST /yes HTTP/1.1\r\n" + expect + "2\r\n\r\n");
    EXPECT_EQ(peer.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    peer.send("ab");
    EXPECT_EQ(peer.read_answer().body, "POST /yes ab");
    peer.send("POST /yes HTTP/1.1\r\n" + expect + "2\r\n\r\nab"); // did not wait: needs no leave
    EXPECT_EQ(peer.read_answer().body, "POST /yes ab");
    peer.send("POST /no HTTP/1.1\r\n" + expect + "2\r\n\r\n");
    EXPECT_EQ(peer.read_answer().status, 405);
    EXPECT_TRUE(peer.ended()); // the body may or may not follow
    EXPECT_TRUE(exchange("POST /yes HTTP/1.1\r\n" + expect + "11\r\n\r\n").starts_with("HTTP/1.1 413"));
}

TEST_F(server_test, large_bodies_arrive_whole_sized_and_chunked) {
    handler.serve = [](request& whole, responder answer) {
        response made;
        made.body = std::move(whole.body());
        answer(std::move(made));
    };
    start();
    std::string body;
    for (int i = 0; body.size() < 3'000'000; ++i) {
        body += std::to_string(i) + ",";
    }
    auto peer = client();
    peer.send(post("/", body));
    EXPECT_EQ(peer.read_answer().body, body);
    std::string chunks = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0, size = 1; at < body.size(); at += size, size = size * 7 % 40'001 + 1) {
        const auto piece = body.substr(at, size);
        char length[32];
        std::snprintf(length, sizeof length, "%zx\r\n", piece.size());
        chunks += length + piece + "\r\n";
    }
    peer.send(chunks + "0\r\n\r\n");
    EXPECT_EQ(peer.read_answer().body, body);
}

TEST_F(server_test, large_bodies_share_a_pool_and_wait_for_their_turn) {
    settings.body_pool_bytes = 250'000;
    settings.request_timeout = 300ms; // does not count while the server makes a client wait
    handler.serve = [&](request& whole, responder answer) {
        if (whole.body().size() > 64 * 1024) {
            all_held.push_back(std::move(answer));
        } else {
            answer(response{});
        }
    };
    start();
    const std::string large = post("/", std::string(200'000, 'x'));
    const std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n" +
                                std::string(200'000, 'y') + "\r\n0\r\n\r\n";
    auto first = client(), second = client(), third = client(), small = client();
    first.send(large);
    await([&] { return all_held.size() == 1; });
    std::thread sender([&] { second.try_send(large); });
    await([this] { return handler.heads == 2; });
    std::thread other_sender([&] { third.try_send(chunked); });
    await([this] { return handler.heads == 3; });
    small.send(post("/", "small ones need nothing of it"));
    EXPECT_EQ(small.read_answer().status, 200);
    auto idle = client();
    idle.send("G");
    EXPECT_TRUE(idle.read_to_end().starts_with("HTTP/1.1 408")); // more than the request's time has passed
    EXPECT_EQ(loop.call([&] { return all_held.size(); }), 1u);
    for (std::size_t i = 0; i < 3; ++i) {
        await([&] { return all_held.size() == i + 1; });
        loop.call([&] { all_held[i](response{}); });
    }
    sender.join();
    other_sender.join();
    EXPECT_EQ(first.read_answer().status, 200);
    EXPECT_EQ(second.read_answer().status, 200);
    EXPECT_EQ(third.read_answer().status, 200);
}

TEST_F(server_test, a_client_that_leaves_while_it_waits_for_the_pool_gives_way) {
    settings.body_pool_bytes = 100'000;
    handler.serve = [&](request&, responder answer) { all_held.push_back(std::move(answer)); };
    start();
    auto first = client();
    first.send(post("/", std::string(100'000, 'x')));
    await([&] { return all_held.size() == 1; });
    auto second = client();
    second.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    await([this] { return handler.heads == 2; });
    loop.call([&] { all_held[0](response{}); });
    second.close();
    await([this] { return served->connections() == 1; });
    first.read_answer();
    first.send(post("/", std::string(100'000, 'x')));
    await([&] { return all_held.size() == 2; });
    loop.call([&] { all_held[1](response{}); });
    EXPECT_EQ(first.read_answer().status, 200);
}

} // namespace
} // namespace linkrunner::net
