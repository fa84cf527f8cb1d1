#include "server_fixture.hpp"

namespace linkrunner::net {
namespace {

TEST_F(server_test, answers_requests_on_one_connection_in_order) {
    start();
    auto peer = client();
    peer.send(post("/one", "first"));
    auto answer = peer.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "POST /one first");
    EXPECT_EQ(answer.headers["content-type"], "text/plain");
    EXPECT_TRUE(answer.headers.contains("date"));
    EXPECT_FALSE(answer.headers.contains("connection"));
    peer.send("GET /two?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(peer.read_answer().body, "GET /two?x=1 ");
    EXPECT_EQ(loop.call([this] { return served->connections(); }), 1u);
}

TEST_F(server_test, answers_on_a_unix_socket) {
    tests::temp_directory directory;
    settings.listen.push_back(at("unix:" + directory / "s.sock"));
    start();
    EXPECT_EQ(addresses.at(0), "unix:" + directory / "s.sock");
    auto peer = client();
    peer.send(post("/", "x"));
    EXPECT_EQ(peer.read_answer().body, "POST / x");
}

} // namespace
} // namespace linkrunner::net
