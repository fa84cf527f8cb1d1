// How answers are framed, and what is wrong with some of them.
#include "client_fixture.hpp"

namespace linkrunner::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class client_answer_test : public client_test {
  protected:
    // What the client makes of `bytes` as an answer, after which the server closes.
    answer answer_to(const std::string& bytes, const std::string& method = "POST") {
        outgoing request;
        request.method = method;
        request.body = method == "HEAD" ? "" : "{}";
        auto coming = send(std::move(request));
        auto peer = upstream.accept();
        read_request(peer);
        peer.try_send(bytes);
        peer.shutdown_write();
        auto got = get(coming);
        await_open(0);
        return got;
    }
};

TEST_F(client_answer_test, chunked_answers_are_put_together) {
    const auto got = answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nRetry-After: 5\r\n\r\n");
    EXPECT_EQ(got.failure, transport_error::none);
    EXPECT_EQ(got.body, "abcde");
    EXPECT_EQ(got.retry_after, "");
}

TEST_F(client_answer_test, the_end_of_the_stream_may_end_an_answer) {
    const auto got = answer_to("HTTP/1.0 200 OK\r\n\r\nall of it");
    EXPECT_EQ(got.failure, transport_error::none);
    EXPECT_EQ(got.body, "all of it");
    EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").failure, transport_error::none);
}

TEST_F(client_answer_test, interim_answers_are_skipped) {
    const auto got = answer_to("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n"
                               "Retry-After: 9\r\n\r\n" +
                               ok("yes"));
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "yes");
    EXPECT_EQ(got.retry_after, "");
}

TEST_F(client_answer_test, interim_answers_without_end_are_too_large) {
    std::string many;
    while (many.size() < 100'000) {
        many += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    EXPECT_EQ(answer_to(many).failure, transport_error::too_large);
}

TEST_F(client_answer_test, answers_without_content_need_no_length) {
    EXPECT_EQ(answer_to("HTTP/1.1 204 No Content\r\n\r\n").status, 204);
    EXPECT_EQ(answer_to("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").status, 304);
    const auto head = answer_to("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD");
    EXPECT_EQ(head.failure, transport_error::none);
    EXPECT_EQ(head.body, "");
}

TEST_F(client_answer_test, a_status_line_without_a_reason_is_understood) {
    EXPECT_EQ(answer_to("HTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n").status, 201);
}

TEST_F(client_answer_test, redirects_are_answers_like_others) {
    const auto got =
        answer_to("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(got.status, 302);
}

TEST_F(client_answer_test, an_answer_may_come_byte_by_byte) {
    auto coming = send();
    auto peer = upstream.accept();
    read_request(peer);
    for (const char c :
         std::string("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "5\r\nhello\r\n0\r\n\r\n")) {
        peer.send(std::string_view(&c, 1));
    }
    EXPECT_EQ(get(coming).body, "hello");
    EXPECT_EQ(open(), 1u);
}

TEST_F(client_answer_test, closing_answers_are_not_followed_by_requests) {
    for (const std::string head : {"HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\n"}) {
        auto coming = send();
        auto peer = upstream.accept();
        read_request(peer);
        peer.send(head + "Content-Length: 1\r\n\r\nx");
        EXPECT_EQ(get(coming).body, "x");
        EXPECT_TRUE(peer.ended());
    }
}

TEST_F(client_answer_test, bytes_after_an_answer_end_the_connection) {
    auto coming = send();
    auto peer = upstream.accept();
    read_request(peer);
    peer.send(ok("x") + "HTTP/1.1 200 OK\r\n");
    EXPECT_EQ(get(coming).body, "x");
    EXPECT_TRUE(peer.ended());
}

TEST_F(client_answer_test, garbage_is_malformed) {
    for (const std::string bytes :
         {"garbage\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
          "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}) {
        const auto got = answer_to(bytes);
        EXPECT_EQ(got.failure, transport_error::malformed) << bytes << word_for(got.failure);
        EXPECT_THAT(got.detail, HasSubstr("malformed answer: "));
        EXPECT_TRUE(got.answer_begun);
        EXPECT_TRUE(got.sent_whole);
        EXPECT_EQ(got.status, 0);
    }
}

TEST_F(client_answer_test, an_answer_cut_short_is_a_reset) {
    for (const std::string bytes :
         {"HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "HTTP/1.1 100 Continue\r\n\r\n"}) {
        const auto got = answer_to(bytes);
        EXPECT_EQ(got.failure, transport_error::reset) << bytes;
        EXPECT_TRUE(got.answer_begun);
        EXPECT_TRUE(got.body.empty());
    }
    const auto none = answer_to("");
    EXPECT_EQ(none.failure, transport_error::reset);
    EXPECT_FALSE(none.answer_begun);
}

TEST_F(client_answer_test, a_reset_connection_is_told_as_such) {
    auto coming = send();
    auto peer = upstream.accept();
    read_request(peer);
    peer.reset();
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::reset);
    EXPECT_EQ(got.detail, "Connection reset by peer");
    EXPECT_TRUE(got.sent_whole);
    EXPECT_FALSE(got.reused);
}

TEST_F(client_answer_test, answers_are_bounded) {
    settings.max_answer_bytes = 1000;
    settings.max_header_bytes = 1000;
    EXPECT_EQ(answer_to(ok(std::string(1000, 'x'))).body.size(), 1000u);
    const auto sized = answer_to(ok(std::string(1001, 'x')));
    EXPECT_EQ(sized.failure, transport_error::too_large);
    EXPECT_EQ(sized.detail, "the answer has a body over 1000 bytes");
    EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x')).failure,
              transport_error::too_large);
    EXPECT_EQ(
        answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x'))
            .failure,
        transport_error::too_large);
    EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nA: " + std::string(1001, 'x')).failure,
              transport_error::too_large);
    std::string lines = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 200; ++i) {
        lines += "A: b\r\n";
    }
    EXPECT_EQ(answer_to(lines + "\r\n").failure, transport_error::too_large);
}

TEST_F(client_answer_test, dripping_does_not_extend_the_time) {
    settings.request_timeout = 100ms;
    auto coming = send();
    auto peer = upstream.accept();
    read_request(peer);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
    while (coming.wait_for(1ms) != std::future_status::ready && peer.try_send("x")) {
    }
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::timeout);
    EXPECT_EQ(got.detail, "no whole answer within 100 ms");
    EXPECT_TRUE(got.sent_whole);
    EXPECT_TRUE(got.answer_begun);
}

TEST_F(client_answer_test, a_request_that_took_too_long_is_cut_with_a_reset) {
    settings.request_timeout = 100ms;
    auto coming = send();
    auto peer = upstream.accept();
    read_request(peer);
    EXPECT_EQ(get(coming).failure, transport_error::timeout);
    char byte = 0;
    EXPECT_EQ(::recv(peer.descriptor(), &byte, 1, 0), -1);
    EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(client_answer_test, a_request_that_the_peer_does_not_read_was_not_sent_whole) {
    settings.request_timeout = 100ms;
    auto coming = send("/x", std::string(32 << 20, 'x'));
    auto peer = upstream.accept();
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::timeout);
    EXPECT_FALSE(got.sent_whole);
    EXPECT_FALSE(got.answer_begun);
}

TEST_F(client_answer_test, an_answer_before_the_request_was_read_is_kept) {
    auto coming = send("/x", std::string(32 << 20, 'x'));
    auto peer = upstream.accept();
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::none);
    EXPECT_EQ(got.status, 413);
    EXPECT_EQ(got.body, "no");
    EXPECT_FALSE(got.sent_whole);
    peer.read_to_end();
    await_open(0);
}

TEST_F(client_answer_test, a_success_before_the_request_was_sent_is_none) {
    for (const bool framed : {true, false}) {
        auto coming = send("/x", std::string(32 << 20, 'x'));
        auto peer = upstream.accept();
        peer.read_until("\r\n\r\n");
        peer.send(framed ? "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
                         : "HTTP/1.0 201 Created\r\n\r\nok");
        peer.shutdown_write();
        const auto got = get(coming);
        EXPECT_EQ(got.failure, transport_error::malformed);
        EXPECT_EQ(got.detail, "success (201) before the request was sent whole");
        EXPECT_FALSE(got.sent_whole);
        EXPECT_EQ(got.status, 0);
    }
}

TEST_F(client_answer_test, an_answer_followed_by_a_reset_is_kept) {
    for (int i = 0; i < 20; ++i) {
        auto coming = send("/x", std::string(4 << 20, 'x'));
        auto peer = upstream.accept();
        peer.read_until("\r\n\r\n");
        peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
        peer.close(); // with unread bytes: the kernel sends a reset
        const auto got = get(coming);
        EXPECT_EQ(got.status, 413) << got.detail;
    }
}

TEST_F(client_answer_test, a_large_request_arrives_whole_at_a_slow_reader) {
    std::string body;
    for (int i = 0; body.size() < 6'000'000; ++i) {
        body += std::to_string(i) + ",";
    }
    auto coming = send("/x", body);
    auto peer = upstream.accept();
    const auto seen = read_request(peer);
    EXPECT_TRUE(seen.ends_with(body));
    peer.send(ok("x"));
    EXPECT_TRUE(get(coming).sent_whole);
}

} // namespace
} // namespace linkrunner::net
