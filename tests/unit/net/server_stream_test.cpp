// Answers that go on, and the blocking client that reads them.
#include "net/caller.hpp"
#include "unit/net/server_fixture.hpp"

#include <unistd.h>

namespace linkrunner::net {
namespace {

class server_stream : public server_test {
  protected:
    ~server_stream() override {
        loop.call([this] { stream.reset(); });
    }
    void start_streaming() {
        handler.serve = [this](request&, responder answer) {
            response made;
            made.content_type = "application/x-ndjson";
            made.stream = [this](std::shared_ptr<body_stream> to) { stream = std::move(to); };
            answer(std::move(made));
        };
        start();
    }
    void begin(tests::raw_client& peer, const std::string& version = "1.1") {
        peer.send("GET /tail HTTP/" + version + "\r\nHost: localhost\r\n\r\n");
        head = peer.read_until("\r\n\r\n");
        await([this] { return stream != nullptr; });
    }
    std::shared_ptr<body_stream> stream;
    std::string head;
};

TEST_F(server_stream, goes_out_in_chunks_as_it_comes) {
    start_streaming();
    auto peer = client();
    begin(peer);
    EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_NE(head.find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(head.find("Content-Length"), std::string::npos);
    loop.call([this] { stream->send("hello\n"); });
    EXPECT_EQ(peer.read_until("\n\r\n"), "6\r\nhello\n\r\n");
    loop.call([this] {
        stream->send("");
        stream->send("x");
        stream->end();
        EXPECT_FALSE(stream->is_open());
        stream->send("late");
        stream->end();
    });
    EXPECT_EQ(peer.read_to_end(), "1\r\nx\r\n0\r\n\r\n");
}

TEST_F(server_stream, ends_when_it_is_let_go_of) {
    start_streaming();
    auto peer = client();
    begin(peer);
    loop.call([this] { stream.reset(); });
    EXPECT_EQ(peer.read_to_end(), "0\r\n\r\n");
}

TEST_F(server_stream, knows_no_chunks_in_http_1_0) {
    start_streaming();
    auto peer = client();
    begin(peer, "1.0");
    EXPECT_EQ(head.find("chunked"), std::string::npos);
    loop.call([this] {
        stream->send("plain\n");
        stream->end();
    });
    EXPECT_EQ(peer.read_to_end(), "plain\n");
}

TEST_F(server_stream, is_closed_when_the_client_goes) {
    start_streaming();
    auto peer = client();
    begin(peer);
    peer.close();
    await([this] { return !stream->is_open(); });
    loop.call([this] {
        stream->send("nobody hears this");
        EXPECT_EQ(stream->unsent_bytes(), 0U);
    });
}

TEST_F(server_stream, counts_what_a_client_that_does_not_read_has_not_taken) {
    settings.request_timeout = std::chrono::milliseconds(100); // does not count here
    start_streaming();
    auto peer = client();
    begin(peer);
    const std::string piece(1 << 20, 'x');
    std::size_t sent = 0;
    loop.call([&] {
        while (stream->unsent_bytes() < piece.size()) {
            stream->send(piece);
            sent += piece.size();
        }
    });
    loop.call([this] { stream->end(); });
    const std::string all = peer.read_to_end();
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(all, 'x')), sent);
    EXPECT_TRUE(all.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(server_stream, ends_with_the_server) {
    start_streaming();
    auto peer = client();
    begin(peer);
    loop.call([this] { served->stop({}); });
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_FALSE(loop.call([this] { return stream->is_open(); }));
}

TEST_F(server_stream, the_peer_of_a_unix_socket_is_known) {
    const tests::temp_directory home;
    settings.listen.push_back(at("unix:" + (home / "s")));
    settings.listen.push_back(at("127.0.0.1:0"));
    std::vector<std::optional<peer_credentials>> seen;
    handler.serve = [&](request& whole, responder answer) {
        seen.push_back(whole.peer());
        answer(response{});
    };
    start();
    for (const std::string& address : addresses) {
        EXPECT_EQ(caller::connect(address, std::chrono::seconds(5))
                      .value()
                      ->exchange({}, std::chrono::seconds(5))
                      ->status,
                  200);
    }
    loop.call([&] {
        ASSERT_TRUE(seen.at(0));
        EXPECT_EQ(seen[0]->pid, ::getpid());
        EXPECT_EQ(seen[0]->uid, ::geteuid());
        EXPECT_EQ(seen[0]->gid, ::getegid());
        EXPECT_FALSE(seen.at(1));
    });
}

class calling : public server_test {};

TEST_F(calling, sends_a_body_and_reads_the_answer_on_one_connection) {
    start();
    const auto subject =
        caller::connect("http://" + addresses.at(0) + "/base/", std::chrono::seconds(5)).value();
    call request;
    request.method = "POST";
    request.target = "/x?y=1";
    request.body = "hello";
    for (int i = 0; i < 2; ++i) {
        const auto answer = subject->exchange(request, std::chrono::seconds(5));
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->body, "POST /base/x?y=1 hello");
        EXPECT_EQ(answer->header("CONTENT-type"), "text/plain");
        EXPECT_EQ(answer->header("none"), "");
    }
    EXPECT_EQ(loop.call([this] { return served->connections(); }), 1U);
}

TEST_F(calling, reads_lines_of_an_answer_that_goes_on) {
    handler.serve = [](request& whole, responder answer) {
        response made;
        if (whole.target() == "/no") {
            made.status = 400;
            made.body = "{\"msg\":\"no\"}\n";
        } else {
            made.stream = [](const std::shared_ptr<body_stream>& to) {
                to->send("one\ntw");
                to->send("o\n");
                to->send(std::string(100'000, 'x') + "\nlast");
                to->end();
            };
        }
        answer(std::move(made));
    };
    start();
    const auto subject = caller::connect(addresses.at(0), std::chrono::seconds(5)).value();
    call request;
    EXPECT_EQ(subject->begin(request, std::chrono::seconds(5))->status, 200);
    EXPECT_EQ(**subject->next_line(), "one");
    EXPECT_EQ(**subject->next_line(), "two");
    EXPECT_EQ((**subject->next_line()).size(), 100'000U);
    EXPECT_EQ(**subject->next_line(), "last");
    EXPECT_FALSE(*subject->next_line());
    request.target = "/no";
    const auto refused = subject->begin(request, std::chrono::seconds(5));
    EXPECT_EQ(refused->status, 400);
    EXPECT_EQ(refused->body, "{\"msg\":\"no\"}\n");
}

TEST_F(calling, says_what_went_wrong) {
    handler.serve = [this](request& whole, responder answer) {
        if (whole.target() == "/hang") {
            held = std::move(answer);
        } // else the connection is closed
    };
    start();
    using std::chrono::milliseconds;
    const auto subject = caller::connect(addresses.at(0), milliseconds(5000)).value();
    call request;
    request.target = "/hang";
    EXPECT_EQ(subject->exchange(request, milliseconds(50)).error().code, std::errc::timed_out);
    request.target = "/";
    EXPECT_EQ(subject->exchange(request, milliseconds(5000)).error().code, std::errc::connection_reset);
    const tests::temp_directory home;
    EXPECT_EQ(caller::connect("unix:" + (home / "none"), milliseconds(100)).error().code,
              std::errc::no_such_file_or_directory);
    EXPECT_EQ(caller::connect("127.0.0.1:1", milliseconds(5000)).error().code, std::errc::connection_refused);
    const std::string too_long = "unix:" + std::string(200, 'x');
    for (const std::string& bad : std::vector<std::string>{"https://x", "nonsense", too_long, ":80"}) {
        EXPECT_FALSE(caller::connect(bad, milliseconds(100))) << bad;
    }
}

} // namespace
} // namespace linkrunner::net
