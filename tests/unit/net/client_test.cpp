#include "client_fixture.hpp"

namespace linkrunner::net {
namespace {

TEST_F(client_test, sends_a_request_and_gives_its_answer) {
    outgoing request;
    request.path = "/capture-event";
    request.body = R"({"a":1})";
    request.headers = {{"linkrunner-key", "k"}};
    auto coming = send(std::move(request));
    auto peer = upstream.accept();
    EXPECT_EQ(read_request(peer), "POST /api/v1/capture-event HTTP/1.1\r\nHost: " + upstream.address() +
                                      "\r\nUser-Agent: linkrunnerd/" LINKRUNNER_VERSION
                                      "\r\nContent-Type: application/json\r\nContent-Length: 7\r\n"
                                      "linkrunner-key: k\r\n\r\n{\"a\":1}");
    peer.send("HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nDate: today\r\nX-RateLimit-Limit: 30\r\n"
              "RateLimit-Remaining: 0\r\nx-ratelimit-reset: 9\r\nContent-Length: 2\r\n\r\nno");
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::none);
    EXPECT_EQ(got.status, 429);
    EXPECT_EQ(got.body, "no");
    EXPECT_EQ(got.retry_after, "7");
    EXPECT_EQ(got.date, "today");
    EXPECT_EQ(got.ratelimit_limit, "30");
    EXPECT_EQ(got.ratelimit_remaining, "0");
    EXPECT_EQ(got.ratelimit_reset, "9");
    EXPECT_TRUE(got.sent_whole);
    EXPECT_TRUE(got.answer_begun);
    EXPECT_FALSE(got.reused);
    EXPECT_GT(got.duration.count(), 0);
}

TEST_F(client_test, uses_a_connection_again) {
    auto first = send();
    auto peer = upstream.accept();
    read_request(peer);
    peer.send(ok("1"));
    EXPECT_FALSE(get(first).reused);
    auto second = send();
    read_request(peer);
    peer.send(ok("2"));
    const auto got = get(second);
    EXPECT_TRUE(got.reused);
    EXPECT_EQ(got.body, "2");
    EXPECT_EQ(open(), 1u);
}

} // namespace
} // namespace linkrunner::net
