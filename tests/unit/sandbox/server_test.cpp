#include "sandbox/background.hpp"
#include "support/wire_client.hpp"

#include <gmock/gmock.h>

namespace linkrunner::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;
using tests::request_text;
using tests::wire_client;

constexpr seconds long_enough{20};
constexpr std::string_view good = R"({"event_name":"e","user_id":"u","event_id":"1"})";

std::string post(std::string_view body = good, tests::header_list more = {}) {
    more.emplace_back("linkrunner-key", "k");
    more.emplace_back("Content-Type", "application/json");
    return request_text("POST", "/api/v1/capture-event", body, more);
}

class sandbox_server : public testing::Test {
  protected:
    wire_client connect() { return wire_client("127.0.0.1:" + std::to_string(box_->port())); }
    std::unique_ptr<background> box_ = background::start().value();
};

TEST_F(sandbox_server, answers_pipelined_requests_in_order) {
    wire_client client = connect();
    client.send(post() + post("{}") + request_text("GET", "/summary"));
    EXPECT_EQ(client.receive()->status, 201);
    EXPECT_EQ(client.receive()->status, 400);
    EXPECT_THAT(client.receive()->body, HasSubstr("\"events\":1"));
}

TEST_F(sandbox_server, reads_a_request_that_comes_byte_by_byte) {
    wire_client client = connect();
    for (const char byte : post()) {
        ASSERT_TRUE(client.send(std::string_view(&byte, 1)));
    }
    EXPECT_EQ(client.receive()->status, 201);
}

TEST_F(sandbox_server, reads_chunks_and_invites_the_body) {
    wire_client client = connect();
    client.send(request_text("POST", "/api/v1/capture-event", "",
                             {{"linkrunner-key", "k"},
                              {"Content-Type", "application/json"},
                              {"Transfer-Encoding", "chunked"},
                              {"Expect", "100-continue"}}));
    EXPECT_EQ(client.receive()->status, 100);
    client.send("5\r\n{\"eve\r\n");
    client.send("2a\r\n" + std::string(good.substr(5)) + "\r\n0\r\n\r\n");
    EXPECT_EQ(client.receive()->status, 201);
}

TEST_F(sandbox_server, refuses_a_body_that_is_too_large_without_reading_it) {
    wire_client client = connect();
    client.send(post("", {{"Content-Length", "1000001"}}));
    const auto answer = client.receive();
    EXPECT_EQ(answer->status, 413);
    EXPECT_EQ(answer->header("connection"), "close");
}

TEST_F(sandbox_server, refuses_what_is_not_http) {
    wire_client client = connect();
    EXPECT_EQ(client.exchange("hello\r\n\r\n").status, 400);
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
}

TEST_F(sandbox_server, closes_after_http_1_0) {
    wire_client client = connect();
    EXPECT_EQ(client.exchange("GET /summary HTTP/1.0\r\n\r\n").header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
}

TEST_F(sandbox_server, resets_the_connection) {
    box_->add_faults("reset");
    wire_client client = connect();
    client.send(post());
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::reset);
    EXPECT_EQ(box_->unique(), 0U);
}

TEST_F(sandbox_server, loses_the_reply_of_what_it_processed) {
    box_->add_faults("lost");
    wire_client client = connect();
    client.send(post());
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::reset);
    EXPECT_EQ(client.unread(), "");
    EXPECT_EQ(box_->unique(), 1U);
}

TEST_F(sandbox_server, closes_without_an_answer) {
    box_->add_faults("close");
    wire_client client = connect();
    client.send(post());
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
    EXPECT_EQ(client.unread(), "");
}

TEST_F(sandbox_server, truncates_its_answer) {
    box_->add_faults("truncated");
    wire_client client = connect();
    client.send(post());
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
    EXPECT_THAT(client.unread(), StartsWith("HTTP/1.1 201"));
    EXPECT_THAT(client.unread(), HasSubstr("Content-Length: 66"));
    EXPECT_EQ(client.unread().size() - client.unread().find("\r\n\r\n") - 4, 33U);
}

TEST_F(sandbox_server, answers_garbage) {
    box_->add_faults("garbage");
    wire_client client = connect();
    client.send(post());
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
    EXPECT_THAT(client.unread(), HasSubstr("this is not HTTP"));
}

TEST_F(sandbox_server, hangs_until_its_time_is_up) {
    box_->add_faults("hang=50ms");
    wire_client client = connect();
    client.send(post());
    EXPECT_NE(client.wait_for_end(), wire_client::ending::timeout);
    EXPECT_EQ(client.unread(), "");
}

TEST_F(sandbox_server, delays_an_answer_and_goes_on_with_what_was_pipelined) {
    box_->add_faults("count=1 delay=50ms");
    wire_client client = connect();
    const auto begun = std::chrono::steady_clock::now();
    client.send(post() + post("{}"));
    EXPECT_EQ(client.receive()->status, 201);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(50));
    EXPECT_EQ(client.receive()->status, 400);
}

TEST_F(sandbox_server, answers_slowly_and_whole) {
    box_->add_faults("count=1 slow=1ms");
    wire_client client = connect();
    client.send(post() + post("{}"));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(client.receive()->status, 201);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(100));
    EXPECT_EQ(client.receive()->status, 400);
}

TEST_F(sandbox_server, sends_interim_answers_first) {
    box_->add_faults("interim=100,103,103");
    wire_client client = connect();
    client.send(post());
    for (const int status : {100, 103, 103, 201}) {
        EXPECT_EQ(client.receive()->status, status);
    }
}

TEST_F(sandbox_server, answers_as_http_1_0_and_closes) {
    box_->add_faults("http=1.0");
    wire_client client = connect();
    EXPECT_THAT(client.exchange(post()).head, testing::StartsWith("HTTP/1.0 201 "));
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
}

TEST_F(sandbox_server, adds_a_header_of_any_name_to_an_answer) {
    box_->add_faults("count=1 header='RateLimit: \"default\";r=5;t=2'; status=429 header='X: y z'");
    EXPECT_EQ(connect().exchange(post()).header("ratelimit"), "\"default\";r=5;t=2");
    EXPECT_EQ(connect().exchange(post()).header("x"), "y z");
}

TEST_F(sandbox_server, answers_before_it_has_read_the_body) {
    box_->add_faults("early status=503");
    wire_client client = connect();
    client.send(post("", {{"Content-Length", "500"}}));
    EXPECT_EQ(client.receive()->status, 503);
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
}

TEST_F(sandbox_server, closes_after_an_answer_by_choice) {
    box_->add_faults("connection=close");
    wire_client client = connect();
    EXPECT_EQ(client.exchange(post()).header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(), wire_client::ending::eof);
}

TEST_F(sandbox_server, turns_connections_away) {
    box_->add_faults("count=1 accept=reset; count=1 accept=close");
    wire_client first = connect();
    EXPECT_EQ(first.wait_for_end(), wire_client::ending::reset);
    wire_client second = connect();
    EXPECT_EQ(second.wait_for_end(), wire_client::ending::eof);
    EXPECT_EQ(connect().exchange(post()).status, 201);
}

TEST_F(sandbox_server, refuses_connections_and_takes_them_again_on_the_same_port) {
    box_->set_listening(false);
    EXPECT_THROW(connect(), std::runtime_error);
    box_->set_listening(true);
    EXPECT_EQ(connect().exchange(post()).status, 201);
}

TEST_F(sandbox_server, drops_connections_that_are_open) {
    wire_client client = connect();
    EXPECT_EQ(client.exchange(post()).status, 201);
    box_->drop_connections();
    EXPECT_NE(client.wait_for_end(), wire_client::ending::timeout);
}

TEST_F(sandbox_server, tells_who_waits_for_events) {
    EXPECT_FALSE(box_->wait_for_events(1, milliseconds(1)));
    wire_client client = connect();
    client.send(post());
    EXPECT_TRUE(box_->wait_for_events(1, long_enough));
    EXPECT_EQ(box_->events().at(0).body, good);
}

TEST(sandbox_start, says_what_is_wrong_with_an_address) {
    for (const char* wrong : {"nonsense", ":1", "127.0.0.1:99999999"}) {
        server_settings options;
        options.listen = wrong;
        EXPECT_FALSE(background::start({}, options)) << wrong;
    }
    const auto first = background::start().value();
    server_settings same;
    same.listen = "127.0.0.1:" + std::to_string(first->port());
    const auto second = background::start({}, same);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("listen on " + same.listen));
}

} // namespace
} // namespace linkrunner::sandbox
