// Listening sockets: addresses, Unix sockets and who may use them, inheritance, stopping.
#include "server_fixture.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace linkrunner::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const std::string get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

class listener_test : public server_test {
  protected:
    std::string failure_of(const listen_address& where) {
        server_settings only;
        only.listen.push_back(where);
        return loop.call([&] {
            const auto made = server::open(loop.loop(), only, handler);
            return made.has_value() ? std::string("no failure") : made.error().message;
        });
    }

    void expect_served(const std::string& address) {
        tests::raw_client peer(address);
        peer.send(get);
        EXPECT_EQ(peer.read_answer().status, 200);
    }

    // Stops the server and waits for its word.
    void stop() {
        auto promise = std::make_shared<std::promise<void>>();
        auto stopped = promise->get_future();
        loop.call([&] { served->stop([promise] { promise->set_value(); }); });
        ASSERT_EQ(stopped.wait_for(tests::raw_client::patience), std::future_status::ready);
    }

    tests::temp_directory directory;
};

TEST_F(listener_test, several_addresses_are_served_and_told_in_order) {
    settings.listen = {at("127.0.0.1:0"), at("unix:" + directory / "a.sock"), at("[::1]:0"),
                       at("unix:@linkrunner-test-" + std::to_string(::getpid())), at("localhost:0")};
    std::vector<std::string> seen;
    handler.serve = [&](request& whole, responder answer) {
        const auto& from = whole.listener();
        seen.push_back(from.name + (from.unix_socket ? " unix" : "") + (from.loopback ? " loopback" : "") +
                       (from.tls ? " tls" : ""));
        answer(response{});
    };
    start();
    ASSERT_EQ(addresses.size(), 5u);
    EXPECT_THAT(addresses[0], ::testing::StartsWith("127.0.0.1:"));
    EXPECT_THAT(addresses[2], ::testing::StartsWith("[::1]:"));
    EXPECT_THAT(addresses[3], ::testing::StartsWith("unix:@linkrunner-test-"));
    EXPECT_THAT(addresses[4], ::testing::StartsWith("127.0.0.1:"));
    for (const auto& each : addresses) {
        expect_served(each);
    }
    EXPECT_EQ(loop.call([&] { return seen; }),
              (std::vector{settings.listen[0].text + " loopback", settings.listen[1].text + " unix",
                           settings.listen[2].text + " loopback", settings.listen[3].text + " unix",
                           settings.listen[4].text + " loopback"}));
}

TEST_F(listener_test, errors_name_the_address_and_what_to_do) {
    start();
    EXPECT_THAT(failure_of(at(addresses[0])), HasSubstr(addresses[0] + ": another process uses this port"));
    EXPECT_THAT(failure_of(at("127.0.0.1")), HasSubstr("expected host:port"));
    EXPECT_THAT(failure_of(at("127.0.0.1:70000")), HasSubstr("expected host:port"));
    EXPECT_THAT(failure_of(at(":80")), HasSubstr("expected host:port"));
    EXPECT_THAT(failure_of(at("::1:80")), HasSubstr("expected host:port"));
    EXPECT_THAT(failure_of(at("unix:")), HasSubstr("the path is missing"));
    EXPECT_THAT(failure_of(at("unix:" + std::string(200, 'p'))), HasSubstr("at most 107 bytes"));
    EXPECT_THAT(failure_of(at("unix:" + directory / "none/s")), HasSubstr("the directory is missing"));
    EXPECT_THAT(failure_of(at("192.0.2.1:0")), HasSubstr("this machine has no such address"));
    EXPECT_THAT(failure_of(at("no-such-host.invalid:0")), HasSubstr("no-such-host.invalid:0"));
    EXPECT_THAT(failure_of(at("unix:" + directory.write("file", "x"))), HasSubstr("not a socket"));
    auto grouped = at("unix:" + directory / "g.sock");
    grouped.unix_group = "no-such-group";
    EXPECT_THAT(failure_of(grouped), HasSubstr("no group named no-such-group"));
}

TEST_F(listener_test, a_unix_socket_gets_its_mode_and_group_whatever_the_umask) {
    auto where = at("unix:" + directory / "s.sock");
    where.unix_mode = 0666;
    where.unix_group = std::to_string(::getgid());
    settings.listen = {where};
    const auto before = ::umask(0077);
    start();
    ::umask(before);
    struct stat file{};
    ASSERT_EQ(::stat((directory / "s.sock").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07777, 0666u);
    EXPECT_EQ(file.st_gid, ::getgid());
}

TEST_F(listener_test, a_stale_unix_socket_is_replaced_and_a_living_one_is_not) {
    const auto where = at("unix:" + directory / "s.sock");
    settings.listen = {where};
    start();
    EXPECT_THAT(failure_of(where), HasSubstr("another process serves this socket"));
    expect_served(addresses[0]);
    // What a killed process leaves: the file without the listener.
    const std::string stale = directory / "stale.sock";
    {
        const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        stale.copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        ::close(left);
    }
    EXPECT_EQ(failure_of(at("unix:" + stale)), "no failure");
}

TEST_F(listener_test, stopping_removes_the_socket_but_not_a_successors) {
    settings.listen = {at("unix:" + directory / "a.sock"), at("unix:" + directory / "b.sock")};
    start();
    ::unlink((directory / "b.sock").c_str());
    directory.write("b.sock", "somebody else's");
    stop();
    struct stat file{};
    EXPECT_NE(::stat((directory / "a.sock").c_str(), &file), 0);
    EXPECT_EQ(::stat((directory / "b.sock").c_str(), &file), 0);
}

TEST_F(listener_test, peers_are_admitted_by_user_or_group) {
    const auto with = [&](std::vector<unsigned> uids, std::vector<unsigned> gids, const char* name) {
        auto where = at("unix:" + directory / name);
        where.allow_uids = std::move(uids);
        where.allow_gids = std::move(gids);
        return where;
    };
    const unsigned uid = ::getuid(), gid = ::getgid(), other = 4'000'000;
    std::vector<gid_t> more(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    ::getgroups(static_cast<int>(more.size()), more.data());
    const unsigned supplementary = more.empty() ? gid : more.back();
    settings.listen = {with({uid}, {}, "uid"),         with({}, {gid}, "gid"),
                       with({other}, {gid}, "either"), with({other}, {supplementary}, "supplementary"),
                       with({other}, {}, "other-uid"), with({}, {other}, "other-gid")};
    start();
    for (std::size_t i = 0; i < 4; ++i) {
        expect_served(addresses[i]);
    }
    for (std::size_t i = 4; i < 6; ++i) {
        tests::raw_client peer(addresses[i]);
        peer.try_send(get);
        EXPECT_THAT(peer.read_to_end(), testing::StartsWith("HTTP/1.1 403 ")) << addresses[i];
    }
}

TEST_F(listener_test, an_inherited_socket_is_served_and_left_in_place) {
    tests::temp_directory elsewhere;
    const std::string path = elsewhere / "inherited.sock";
    const int made = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(made, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    auto where = at("intake.socket");
    where.inherited_fd = made;
    EXPECT_THAT(failure_of(where), HasSubstr("not a listening stream socket"));
    ASSERT_EQ(::listen(made, 5), 0);
    settings.listen = {where};
    start();
    EXPECT_EQ(addresses[0], "unix:" + path);
    expect_served("unix:" + path);
    stop();
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
}

TEST_F(listener_test, stopping_answers_what_is_in_hand_and_closes_the_rest) {
    handler.serve = [&](request& whole, responder answer) {
        if (whole.target() == "/all_held") {
            all_held.push_back(std::move(answer));
        } else {
            answer(response{});
        }
    };
    start();
    auto idle = client(), busy = client(), half = client();
    idle.send(get);
    EXPECT_EQ(idle.read_answer().status, 200);
    busy.send("GET /all_held HTTP/1.1\r\nHost: x\r\n\r\n");
    half.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    await([&] { return all_held.size() == 1 && handler.heads == 3; });
    std::atomic<int> told{0};
    loop.call([&] {
        served->stop([&] { ++told; });
        served->stop([&] { ++told; });
    });
    EXPECT_TRUE(idle.ended());
    EXPECT_THROW(client(), std::runtime_error);
    EXPECT_EQ(told, 0);
    half.send("bc");
    auto answer = half.read_answer();
    EXPECT_EQ(answer.headers["connection"], "close");
    EXPECT_TRUE(half.ended());
    loop.call([&] { all_held[0](response{}); });
    answer = busy.read_answer();
    EXPECT_EQ(answer.headers["connection"], "close");
    EXPECT_TRUE(busy.ended());
    half.close();
    busy.close();
    await([&] { return told == 2; });
}

TEST_F(listener_test, a_request_that_lies_in_the_socket_when_the_server_stops_is_still_answered) {
    start();
    auto peer = client();
    peer.send(get);
    peer.read_answer();
    loop.call([&] {
        peer.send(get);
        served->stop([] {});
    });
    EXPECT_EQ(peer.read_answer().headers["connection"], "close");
}

TEST_F(listener_test, a_stop_with_grace_serves_whoever_was_about_to_ask) {
    start();
    auto asks = client(), silent = client(), fresh = client();
    for (auto* each : {&asks, &silent}) {
        each->send(get);
        EXPECT_EQ(each->read_answer().status, 200);
    }
    await([&] { return served->connections() == 3; });
    std::atomic<bool> told{false};
    loop.call([&] { served->stop([&] { told = true; }, 2s); });
    EXPECT_THROW(client(), std::runtime_error);
    for (auto* each : {&asks, &fresh}) {
        each->send(get);
        EXPECT_EQ(each->read_answer().headers["connection"], "close");
        EXPECT_TRUE(each->ended());
        each->close();
    }
    EXPECT_FALSE(told);
    EXPECT_TRUE(silent.ended());
    await([&] { return told.load(); });
}

TEST_F(listener_test, a_stop_with_grace_closes_what_has_been_idle_for_as_long_already) {
    start();
    auto idle = client();
    idle.send(get);
    idle.read_answer();
    await([&] { return served->connections() == 1; });
    const auto began = std::chrono::steady_clock::now();
    await([&] { return std::chrono::steady_clock::now() - began > 200ms; });
    loop.call([&] { served->stop({}, 200ms); });
    EXPECT_TRUE(idle.ended());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(listener_test, a_server_that_winds_down_serves_on_and_ends_each_connection) {
    start();
    auto kept = client();
    kept.send(get);
    EXPECT_EQ(kept.read_answer().headers["connection"], "");
    loop.call([&] { served->wind_down(); });
    kept.send(get + get); // what was sent already is answered, too
    EXPECT_EQ(kept.read_answer().headers["connection"], "");
    EXPECT_EQ(kept.read_answer().headers["connection"], "close");
    EXPECT_TRUE(kept.ended());
    auto late = client();
    late.send(get);
    EXPECT_EQ(late.read_answer().headers["connection"], "close");
}

TEST_F(listener_test, abort_closes_at_once_and_ends_a_stop) {
    handler.serve = [&](request&, responder answer) { held = std::move(answer); };
    start();
    auto peer = client();
    peer.send(get);
    await([&] { return static_cast<bool>(held); });
    std::atomic<bool> told{false};
    loop.call([&] {
        served->stop([&] { told = true; });
        served->abort();
        EXPECT_EQ(served->connections(), 0u);
    });
    EXPECT_TRUE(peer.ended());
    await([&] { return told.load(); });
    loop.call([&] { held(response{}); });
}

// Uses up all descriptors, connects, then frees them again.
TEST_F(listener_test, running_out_of_descriptors_delays_a_connection_but_does_not_lose_it) {
    start();
    auto peer = client();
    peer.send(get);
    peer.read_answer();
    peer.close();
    await([this] { return served->connections() == 0; });
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const int waiting = ::socket(AF_INET, SOCK_STREAM, 0);
    const rlimit tight{static_cast<rlim_t>(waiting) + 1, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    std::vector<int> fillers; // lower numbers that happened to be free
    for (int each = ::dup(0); each >= 0; each = ::dup(0)) {
        fillers.push_back(each);
    }
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    where.sin_port = htons(static_cast<std::uint16_t>(std::stoi(addresses[0].substr(10))));
    const int connected = ::connect(waiting, reinterpret_cast<sockaddr*>(&where), sizeof where);
    tests::raw_client late(waiting);
    late.send(get);
    const auto handled_before = handler.handled.load();
    std::atomic<int> turns{0};
    for (int i = 0; i < 50; ++i) {
        loop.call([&] { ++turns; });
    }
    const auto cpu = std::clock();
    loop.call([&] {});
    EXPECT_EQ(handler.handled, handled_before);
    EXPECT_LT(std::clock() - cpu, CLOCKS_PER_SEC);
    for (const int each : fillers) {
        ::close(each);
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(connected, 0);
    EXPECT_EQ(late.read_answer().status, 200);
}

} // namespace
} // namespace linkrunner::net
