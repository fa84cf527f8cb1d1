#include "client_fixture.hpp"

namespace linkrunner::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

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
              "RateLimit: \"a\";r=5;t=2\r\nratelimit: \"b\";r=6;t=3\r\nRateLimit-Policy: \"a\";q=9;w=2\r\n"
              "RateLimit-Remaining: 0\r\nx-ratelimit-reset: 9\r\nContent-Length: 2\r\n\r\nno");
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::none);
    EXPECT_EQ(got.status, 429);
    EXPECT_EQ(got.body, "no");
    EXPECT_EQ(got.retry_after, "7");
    EXPECT_EQ(got.date, "today");
    EXPECT_EQ(got.ratelimit, "\"a\";r=5;t=2, \"b\";r=6;t=3");
    EXPECT_EQ(got.ratelimit_policy, "\"a\";q=9;w=2");
    EXPECT_EQ(got.ratelimit_limit, "30");
    EXPECT_EQ(got.ratelimit_remaining, "0");
    EXPECT_EQ(got.ratelimit_reset, "9");
    EXPECT_TRUE(got.sent_whole);
    EXPECT_TRUE(got.answer_begun);
    EXPECT_FALSE(got.reused);
    EXPECT_GT(got.duration.count(), 0);
}

TEST_F(client_test, header_values_cannot_add_headers) {
    outgoing request;
    request.method = "GET";
    request.path = "/x";
    request.headers = {{"A", "b\r\nInjected: c"}};
    auto coming = send(std::move(request));
    auto peer = upstream.accept();
    const auto seen = read_request(peer);
    EXPECT_THAT(seen, HasSubstr("A: b  Injected: c\r\n\r\n"));
    EXPECT_THAT(seen, ::testing::Not(HasSubstr("Content-")));
    peer.send(ok(""));
    get(coming);
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

TEST_F(client_test, prefers_the_connection_that_was_used_last) {
    settings.connections = 2;
    auto one = send("/1"), two = send("/2");
    auto first = upstream.accept(), second = upstream.accept();
    read_request(first);
    read_request(second);
    first.send(ok("a"));
    std::future<answer>* done = &one; // either may have taken either connection
    if (one.wait_for(100ms) != std::future_status::ready) {
        done = &two;
    }
    get(*done);
    second.send(ok("b"));
    get(done == &one ? two : one);
    for (int i = 0; i < 3; ++i) {
        auto next = send();
        read_request(second);
        second.send(ok("c"));
        get(next);
    }
}

TEST_F(client_test, opens_connections_up_to_its_limit_and_queues_the_rest) {
    settings.connections = 3;
    std::vector<std::future<answer>> coming;
    for (int i = 0; i < 10; ++i) {
        coming.push_back(send("/" + std::to_string(i)));
    }
    std::vector<tests::raw_client> peers;
    for (int i = 0; i < 3; ++i) {
        peers.push_back(upstream.accept());
    }
    await_open(3);
    EXPECT_FALSE(upstream.has_caller(50ms));
    std::size_t answered = 0;
    while (answered < coming.size()) {
        for (auto& peer : peers) {
            if (answered < coming.size()) {
                read_request(peer);
                peer.send(ok("x"));
                ++answered;
            }
        }
    }
    for (auto& each : coming) {
        EXPECT_EQ(get(each).status, 200);
    }
    EXPECT_EQ(open(), 3u);
}

TEST_F(client_test, a_connection_that_the_peer_closed_while_idle_is_not_used) {
    auto first = send();
    {
        auto peer = upstream.accept();
        read_request(peer);
        peer.send(ok("1"));
        get(first);
    }
    await_open(0);
    auto second = send();
    auto peer = upstream.accept();
    read_request(peer);
    peer.send(ok("2"));
    EXPECT_FALSE(get(second).reused);
}

TEST_F(client_test, an_idle_connection_that_talks_is_not_used) {
    auto first = send();
    auto peer = upstream.accept();
    read_request(peer);
    peer.send(ok("1"));
    get(first);
    peer.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    await_open(0);
}

TEST_F(client_test, a_kept_connection_closed_before_any_answer_is_told_as_such) {
    auto first = send();
    auto peer = upstream.accept();
    read_request(peer);
    peer.send(ok("1"));
    get(first);
    auto second = send();
    read_request(peer);
    peer.close();
    const auto got = get(second);
    EXPECT_EQ(got.failure, transport_error::reset);
    EXPECT_TRUE(got.reused);
    EXPECT_TRUE(got.sent_whole);
    EXPECT_FALSE(got.answer_begun);
    EXPECT_FALSE(upstream.has_caller(20ms)) << "nothing is sent again without being asked";
}

TEST_F(client_test, a_connection_idle_for_too_long_is_closed) {
    settings.idle_timeout = 50ms;
    auto first = send();
    auto peer = upstream.accept();
    read_request(peer);
    peer.send(ok("1"));
    get(first);
    EXPECT_TRUE(peer.ended());
    await_open(0);
}

TEST_F(client_test, a_refused_connection_fails_all_that_waited_for_it) {
    upstream.close();
    auto one = send(), two = send(), three = send();
    for (auto* each : {&one, &two, &three}) {
        const auto got = get(*each);
        EXPECT_EQ(got.failure, transport_error::connect);
        EXPECT_EQ(got.detail, "connect to " + upstream.address() + ": Connection refused");
        EXPECT_FALSE(got.sent_whole);
        EXPECT_FALSE(got.answer_begun);
    }
    EXPECT_EQ(open(), 0u);
}

TEST_F(client_test, while_another_connection_works_a_failed_one_costs_no_request) {
    settings.connections = 2;
    auto first = send("/first");
    auto peer = upstream.accept();
    read_request(peer);
    upstream.close();
    auto second = send("/second");
    peer.send(ok("1"));
    EXPECT_EQ(get(first).body, "1");
    EXPECT_THAT(read_request(peer), HasSubstr("/second"));
    peer.send(ok("2"));
    EXPECT_EQ(get(second).body, "2");
}

TEST_F(client_test, names_are_looked_up_and_every_address_is_tried) {
    // localhost may mean ::1 first, where nobody listens.
    settings.url = "http://localhost:" + std::to_string(upstream.port());
    auto coming = send("/x");
    auto peer = upstream.accept();
    EXPECT_THAT(read_request(peer),
                HasSubstr("POST /x HTTP/1.1\r\nHost: localhost:" + std::to_string(upstream.port()) + "\r\n"));
    peer.send(ok("1"));
    EXPECT_EQ(get(coming).status, 200);
}

TEST_F(client_test, a_name_without_an_address_is_a_resolve_failure) {
    settings.url = "http://no-such-host.invalid";
    auto one = send(), two = send();
    const auto got = get(one);
    EXPECT_EQ(got.failure, transport_error::resolve);
    EXPECT_THAT(got.detail, HasSubstr("look up no-such-host.invalid: "));
    EXPECT_EQ(get(two).failure, transport_error::resolve);
}

TEST_F(client_test, an_ipv6_literal_works) {
    tests::raw_server v6("::1");
    settings.url = "http://" + v6.address() + "/";
    auto coming = send("/x");
    auto peer = v6.accept();
    EXPECT_THAT(read_request(peer), HasSubstr("POST /x HTTP/1.1\r\nHost: [::1]:"));
    peer.send(ok("1"));
    EXPECT_EQ(get(coming).status, 200);
}

// A listener whose queue is full drops what comes: connecting takes for ever.
TEST_F(client_test, a_connection_that_does_not_come_about_times_out) {
    tests::raw_server full("127.0.0.1", 0);
    std::vector<int> fillers;
    for (int i = 0; i < 4; ++i) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        where.sin_port = htons(full.port());
        fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        std::ignore = ::connect(fillers.back(), reinterpret_cast<sockaddr*>(&where), sizeof where);
    }
    settings.url = "http://" + full.address();
    settings.connect_timeout = 100ms;
    auto coming = send();
    const auto got = get(coming);
    EXPECT_EQ(got.failure, transport_error::timeout);
    EXPECT_THAT(got.detail, HasSubstr("no connection to " + full.address() + " within 100 ms"));
    EXPECT_FALSE(got.sent_whole);
    for (const int each : fillers) {
        ::close(each);
    }
}

TEST_F(client_test, stop_answers_everything_and_later_requests) {
    settings.connections = 1;
    auto busy = send(), queued = send();
    auto peer = upstream.accept();
    read_request(peer);
    loop.call([this] {
        sender->stop();
        sender->stop();
    });
    const auto cut = get(busy);
    EXPECT_EQ(cut.failure, transport_error::stopped);
    EXPECT_EQ(get(queued).failure, transport_error::stopped);
    auto late = send();
    EXPECT_EQ(get(late).failure, transport_error::stopped);
    EXPECT_TRUE(peer.ended());
    EXPECT_EQ(open(), 0u);
}

TEST_F(client_test, stop_does_not_wait_for_a_lookup) {
    settings.url = "http://no-such-host.invalid";
    auto coming = send();
    loop.call([this] {
        sender->stop();
        sender.reset();
    });
    const auto failure = get(coming).failure; // the lookup may have been faster
    EXPECT_TRUE(failure == transport_error::stopped || failure == transport_error::resolve);
}

TEST_F(client_test, a_request_may_be_sent_from_within_an_answer_and_finds_the_same_connection) {
    make();
    std::promise<answer> second;
    loop.call([&] {
        sender->send({}, [&](const answer&) {
            sender->send({}, [&](answer got) { second.set_value(std::move(got)); });
        });
    });
    auto peer = upstream.accept();
    for (int i = 0; i < 2; ++i) {
        read_request(peer);
        peer.send(ok("x"));
    }
    auto coming = second.get_future();
    EXPECT_TRUE(get(coming).reused);
}

TEST_F(client_test, the_client_may_be_destroyed_from_within_an_answer) {
    make();
    std::promise<void> done;
    loop.call([&] {
        sender->send({}, [&](const answer&) {
            sender.reset();
            done.set_value();
        });
    });
    auto peer = upstream.accept();
    read_request(peer);
    peer.send(ok("x"));
    ASSERT_EQ(done.get_future().wait_for(tests::raw_client::patience), std::future_status::ready);
}

TEST_F(client_test, bad_settings_are_refused_with_their_reason) {
    const auto reason = [this](auto change) {
        client_settings options = settings;
        change(options);
        return loop.call([&] {
            const auto made = client::make(loop.loop(), options);
            return made.has_value() ? std::string("none") : made.error().message;
        });
    };
    const auto url = [&](const std::string& text) { return reason([&](auto& to) { to.url = text; }); };
    EXPECT_THAT(url("ftp://x"), HasSubstr("must begin with http:// or https://"));
    EXPECT_THAT(url("nonsense"), HasSubstr("not a URL"));
    EXPECT_THAT(url("http://"), HasSubstr("the host is missing"));
    EXPECT_THAT(url("http://x:99999"), HasSubstr("the port must be"));
    EXPECT_THAT(url("http://x/?q=1"), HasSubstr("query"));
    EXPECT_THAT(url("http://u:secret@x/"), ::testing::Not(HasSubstr("secret")));
    EXPECT_EQ(url("http://x:/base/"), "none");
    const auto proxy = [&](const std::string& text) { return reason([&](auto& to) { to.proxy = text; }); };
    EXPECT_THAT(proxy("https://p:1"), HasSubstr("only proxies with http://"));
    EXPECT_THAT(proxy("p:1:secret"), ::testing::Not(HasSubstr("secret")));
    const auto ca = reason([](auto& to) {
        to.url = "https://x";
        to.ca_file = "/none/ca.pem";
    });
    EXPECT_THAT(ca, HasSubstr("/none/ca.pem: is not a readable PEM file"));
}

TEST(transport_error, has_a_word_for_each) {
    EXPECT_STREQ(word_for(transport_error::too_large), "too_large");
    EXPECT_STREQ(word_for(transport_error::resolve), "resolve");
    EXPECT_STREQ(word_for(transport_error::stopped), "stopped");
}

} // namespace
} // namespace linkrunner::net
