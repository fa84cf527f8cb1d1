#include "server_fixture.hpp"

namespace linkrunner::net {
namespace {

using namespace std::chrono_literals;

const std::string get_head = "GET / HTTP/1.1\r\nHost: localhost\r\n";
const std::string get = get_head + "\r\n";

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

TEST_F(server_test, pipelined_requests_are_answered_in_order_even_when_the_first_takes_longer) {
    handler.serve = [&](request& whole, responder answer) {
        response made;
        made.body = whole.target();
        if (whole.target() == "/slow") {
            held = std::move(answer);
        } else {
            answer(made);
        }
    };
    start();
    auto peer = client();
    std::string many = post("/slow", "x");
    for (int i = 0; i < 200; ++i) {
        many += post("/" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'y'));
    }
    peer.send(many);
    await([&] { return static_cast<bool>(held); });
    EXPECT_EQ(handler.handled, 1);
    loop.call([&] {
        response made;
        made.body = "late";
        held(made);
        EXPECT_EQ(handler.handled, 1) << "the next request must not be handled from within an answer";
    });
    EXPECT_EQ(peer.read_answer().body, "late");
    for (int i = 0; i < 200; ++i) {
        ASSERT_EQ(peer.read_answer().body, "/" + std::to_string(i));
    }
}

TEST_F(server_test, a_request_may_come_byte_by_byte) {
    start();
    auto peer = client();
    for (const char c : post("/slowly", "abc") + "\r\n" + get) {
        peer.send(std::string_view(&c, 1));
    }
    EXPECT_EQ(peer.read_answer().body, "POST /slowly abc");
    EXPECT_EQ(peer.read_answer().body, "GET / ");
}

TEST_F(server_test, chunked_bodies_are_put_together_and_trailers_are_no_headers) {
    std::string origin = "unset";
    handler.serve = [&](request& whole, responder answer) {
        origin = whole.header("Origin");
        response made;
        made.body = whole.body();
        answer(made);
    };
    start();
    auto peer = client();
    const std::string bytes =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;ext=\"v\"\r\nhello\r\n1\r\n,\r\nA\r\n0123456789\r\n0\r\nOrigin: evil\r\n\r\n";
    for (const char c : bytes) {
        peer.send(std::string_view(&c, 1));
    }
    EXPECT_EQ(peer.read_answer().body, "hello,0123456789");
    EXPECT_EQ(loop.call([&] { return origin; }), "");
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char c : std::string("0\r\n\r\n")) { // Beast 1.81 asserts on this when fed as it comes
        peer.send(std::string_view(&c, 1));
    }
    EXPECT_EQ(peer.read_answer().body, "");
    peer.send(bytes + bytes);
    EXPECT_EQ(peer.read_answer().body, "hello,0123456789");
    EXPECT_EQ(peer.read_answer().body, "hello,0123456789");
}

TEST_F(server_test, headers_are_found_without_regard_to_case_and_counted) {
    handler.serve = [](request& whole, responder answer) {
        response made;
        made.body = std::string(whole.header("x-one")) + "," + std::string(whole.header("none")) + "," +
                    std::to_string(whole.header_count("X-ONE")) + "," + std::string(whole.path()) + "," +
                    std::string(whole.query());
        answer(made);
    };
    start();
    auto peer = client();
    peer.send("GET /p?q=1 HTTP/1.1\r\nHost: x\r\nX-One: a b\r\nX-ONE:c\r\n\r\n");
    EXPECT_EQ(peer.read_answer().body, "a b,,2,/p,q=1");
}

TEST_F(server_test, an_absolute_target_is_reduced_to_its_path_and_names_the_host) {
    handler.serve = [](request& whole, responder answer) {
        response made;
        made.body = std::string(whole.target()) + " " + std::string(whole.header("host"));
        answer(made);
    };
    start();
    auto peer = client();
    peer.send("GET http://evil.example/a?b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(peer.read_answer().body, "/a?b evil.example");
    peer.send("GET HTTP://evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(peer.read_answer().body, "/ evil.example:80");
    peer.send("GET http://evil.example?b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(peer.read_answer().body, "/?b evil.example");
}

TEST_F(server_test, head_is_answered_without_a_body) {
    start();
    auto peer = client();
    peer.send("HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n" + get);
    auto answer = peer.read_answer(true);
    EXPECT_EQ(answer.headers["content-length"], "8");
    EXPECT_EQ(peer.read_answer().body, "GET / ");
}

TEST_F(server_test, an_answer_without_content_has_no_length) {
    handler.serve = [](request&, responder answer) {
        response made;
        made.status = 204;
        made.body = "never sent";
        made.headers = {{"X-Note", "a\r\nInjected: yes"}};
        answer(made);
    };
    start();
    auto peer = client();
    peer.send(get + get);
    const auto answer = peer.read_answer();
    EXPECT_FALSE(answer.headers.contains("content-length"));
    EXPECT_FALSE(answer.headers.contains("injected"));
    EXPECT_EQ(answer.headers.at("x-note"), "a  Injected: yes");
    EXPECT_EQ(peer.read_answer().status, 204);
}

TEST_F(server_test, connection_close_is_respected_on_both_sides) {
    handler.serve = [](request& whole, responder answer) {
        response made;
        made.close = whole.target() == "/close";
        answer(made);
    };
    start();
    EXPECT_THAT(exchange(get_head + "Connection: close\r\n\r\n"),
                ::testing::HasSubstr("Connection: close\r\n"));
    auto peer = client();
    peer.send("GET /close HTTP/1.1\r\nHost: localhost\r\n\r\n" + get);
    EXPECT_EQ(peer.read_answer().headers["connection"], "close");
    EXPECT_TRUE(peer.ended());
    EXPECT_EQ(handler.handled, 2);
}

TEST_F(server_test, http_1_0_closes_unless_asked_to_keep_the_connection) {
    start();
    EXPECT_TRUE(exchange("GET / HTTP/1.0\r\n\r\n").ends_with("GET / "));
    auto peer = client();
    peer.send("GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(peer.read_answer().headers["connection"], "keep-alive");
    peer.send("GET /l HTTP/1.0\r\n\r\n");
    EXPECT_EQ(peer.read_answer().body, "GET /l ");
    EXPECT_TRUE(peer.ended());
}

TEST_F(server_test, a_client_that_has_sent_its_end_still_gets_its_answers) {
    handler.serve = [&](request&, responder answer) { held = std::move(answer); };
    start();
    auto peer = client();
    peer.send(post("/", "x"));
    peer.shutdown_write();
    await([&] { return static_cast<bool>(held); });
    loop.call([&] { held(response{}); });
    EXPECT_EQ(peer.read_answer().status, 200);
    EXPECT_TRUE(peer.ended());
}

TEST_F(server_test, a_large_answer_reaches_a_slow_reader_whole) {
    handler.serve = [](request&, responder answer) {
        response made;
        made.body = std::string(8 << 20, 'b');
        answer(made);
    };
    start();
    auto peer = client();
    peer.send(get + get);
    EXPECT_EQ(peer.read_answer().body, std::string(8 << 20, 'b'));
    EXPECT_EQ(peer.read_answer().body.size(), 8u << 20);
}

TEST_F(server_test, a_reader_that_stalls_is_dropped_in_time) {
    settings.request_timeout = 100ms;
    handler.serve = [](request&, responder answer) {
        response made;
        made.body = std::string(32 << 20, 'b');
        answer(made);
    };
    start();
    auto peer = client();
    peer.send(get);
    await([this] { return served->connections() == 1; });
    await([this] { return served->connections() == 0; });
}

TEST_F(server_test, a_handler_may_move_the_body_away) {
    std::string taken;
    handler.serve = [&](request& whole, responder answer) {
        taken = std::move(whole.body());
        answer(response{});
    };
    start();
    auto peer = client();
    for (const std::string body : {"first body", "second"}) {
        peer.send(post("/", body));
        EXPECT_EQ(peer.read_answer().status, 200);
        EXPECT_EQ(loop.call([&] { return taken; }), body);
    }
}

TEST_F(server_test, an_answer_to_a_connection_that_has_gone_does_nothing) {
    request* last = nullptr;
    handler.serve = [&](request& whole, responder answer) {
        last = &whole;
        all_held.push_back(std::move(answer));
    };
    start();
    auto peer = client();
    peer.send(post("/gone", "body"));
    await([&] { return all_held.size() == 1; });
    peer.reset();
    await([this] { return served->connections() == 0; }); // noticed while the handler works
    loop.call([&] {
        EXPECT_EQ(last->body(), "body"); // still valid
        EXPECT_EQ(last->target(), "/gone");
        all_held[0](response{});
        all_held[0](response{});
    });
    auto other = client();
    other.send(get);
    await([&] { return all_held.size() == 2; });
    loop.call([this] { served.reset(); });
    EXPECT_TRUE(other.ended());
    loop.call([&] {
        all_held[1](response{});
        all_held.clear();
    });
}

TEST_F(server_test, a_second_answer_to_one_request_is_ignored) {
    handler.serve = [](request&, responder answer) {
        answer(response{});
        response again;
        again.status = 500;
        answer(again);
    };
    start();
    auto peer = client();
    peer.send(get + get);
    EXPECT_EQ(peer.read_answer().status, 200);
    EXPECT_EQ(peer.read_answer().status, 200);
}

TEST_F(server_test, a_responder_that_is_let_go_closes_the_connection) {
    handler.serve = [](request&, responder) {};
    start();
    EXPECT_EQ(exchange(get), "");
}

TEST_F(server_test, nothing_is_read_while_the_handler_does_not_want_it) {
    start();
    handler.open = false;
    auto peer = client();
    peer.send(get);
    auto other = client();
    other.send(post("/2", "b"));
    await([this] { return served->connections() == 2; });
    loop.call([this] { served->resume(); }); // still unwilling
    EXPECT_EQ(handler.heads, 0);
    handler.open = true;
    loop.call([this] { served->resume(); });
    EXPECT_EQ(peer.read_answer().body, "GET / ");
    EXPECT_EQ(other.read_answer().body, "POST /2 b");
}

TEST_F(server_test, a_paused_client_is_not_closed_as_idle) {
    settings.idle_timeout = 40ms;
    start();
    auto held = client();
    held.send(get_head);
    await([this] { return served->connections() == 1; });
    handler.open = false;
    auto idle = client(); // sends nothing: its end shows that the idle time has passed
    auto peer = client();
    peer.send(get);
    EXPECT_TRUE(idle.ended());
    handler.open = true;
    loop.call([this] { served->resume(); });
    EXPECT_EQ(peer.read_answer().status, 200);
}

TEST_F(server_test, an_idle_connection_is_closed_silently) {
    settings.idle_timeout = 30ms;
    start();
    EXPECT_EQ(exchange(""), "");
    auto peer = client();
    peer.send(get);
    EXPECT_EQ(peer.read_answer().status, 200);
    EXPECT_TRUE(peer.ended());
}

TEST_F(server_test, a_request_that_does_not_come_whole_in_time_gets_408) {
    settings.request_timeout = 50ms;
    start();
    EXPECT_TRUE(exchange(get_head).starts_with("HTTP/1.1 408"));
    EXPECT_TRUE(
        exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc").ends_with("request_timeout"));
    auto slow = client(); // the clock starts with the first byte and does not stop for more
    slow.send("G");
    const auto begun = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begun < 40ms && slow.try_send("E")) {
        std::this_thread::yield();
    }
    EXPECT_TRUE(slow.read_to_end().starts_with("HTTP/1.1 4"));
}

TEST_F(server_test, the_deadline_does_not_count_while_the_handler_works) {
    settings.request_timeout = 20ms;
    settings.idle_timeout = 20ms;
    handler.serve = [&](request&, responder answer) { held = std::move(answer); };
    start();
    auto peer = client();
    peer.send(get);
    await([&] { return static_cast<bool>(held); });
    auto idle = client();
    EXPECT_TRUE(idle.ended()); // the time has passed
    loop.call([&] { held(response{}); });
    EXPECT_EQ(peer.read_answer().status, 200);
}

TEST_F(server_test, connections_beyond_the_limit_are_told_so) {
    settings.max_connections = 2;
    start();
    auto one = client(), two = client();
    one.send(get);
    two.send(get);
    one.read_answer();
    two.read_answer();
    auto third = client();
    const auto said = third.read_to_end();
    EXPECT_TRUE(said.starts_with("HTTP/1.1 503")) << said;
    EXPECT_THAT(said, ::testing::HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(loop.call([this] { return served->connections(); }), 2u);
    one.close();
    await([this] { return served->connections() == 1; });
    auto fourth = client();
    fourth.send(get);
    EXPECT_EQ(fourth.read_answer().status, 200);
}

TEST_F(server_test, a_crowd_beyond_the_limit_is_closed_without_a_word) {
    settings.max_connections = 1;
    start();
    std::vector<tests::raw_client> crowd;
    for (int i = 0; i < 100; ++i) {
        crowd.push_back(client());
    }
    await([this] { return served->connections() == 1; });
    int told = 0, dropped = 0;
    for (std::size_t i = 1; i < crowd.size(); ++i) {
        const auto said = crowd[i].read_to_end();
        told += said.starts_with("HTTP/1.1 503") ? 1 : 0;
        dropped += said.empty() ? 1 : 0;
    }
    EXPECT_GE(told, 64);
    EXPECT_EQ(told + dropped, 99);
}

} // namespace
} // namespace linkrunner::net
