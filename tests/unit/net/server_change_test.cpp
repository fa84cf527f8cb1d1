// Other settings while the server serves.
#include "unit/net/server_fixture.hpp"

#include <filesystem>

namespace linkrunner::net {
namespace {

using testing::HasSubstr;

class server_change : public server_test {
  protected:
    // The error in words; empty: it was taken over.
    std::string change(const server_settings& to) {
        return loop.call([&]() -> std::string {
            auto made = served->prepare(to);
            if (!made) {
                return made.error().message;
            }
            served->apply(std::move(*made));
            addresses = served->addresses();
            return "";
        });
    }
    std::string get(const std::string& address) {
        tests::raw_client peer(address);
        peer.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return peer.read_answer().body;
    }
    tests::temp_directory directory;
};

TEST_F(server_change, serves_an_address_that_is_new_and_keeps_the_others_as_they_are) {
    start();
    const std::string first = addresses[0];
    settings.listen.push_back(at("unix:" + (directory / "new.sock")));
    EXPECT_EQ(change(settings), "");
    ASSERT_EQ(addresses.size(), 2U);
    EXPECT_EQ(addresses[0], first);
    EXPECT_EQ(get(addresses[1]), "GET /x ");
    EXPECT_EQ(get(first), "GET /x ");
}

TEST_F(server_change, answers_whoever_waits_at_an_address_that_is_no_more) {
    settings.listen = {at("127.0.0.1:0"), at("unix:" + (directory / "old.sock"))};
    start();
    std::optional<tests::raw_client> early;
    loop.call([&] { // nobody is accepted meanwhile
        early.emplace(addresses[1]);
        early->send("GET /early HTTP/1.1\r\nHost: localhost\r\n\r\n");
        settings.listen.pop_back();
        auto made = served->prepare(settings);
        ASSERT_TRUE(made.has_value());
        served->apply(std::move(*made));
    });
    const auto answer = early->read_answer();
    EXPECT_EQ(answer.body, "GET /early ");
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_FALSE(std::filesystem::exists(directory / "old.sock"));
    EXPECT_THROW(tests::raw_client("unix:" + (directory / "old.sock")), std::exception);
}

TEST_F(server_change, lets_a_connection_of_a_former_address_ask_once_more) {
    settings.listen = {at("127.0.0.1:0"), at("unix:" + (directory / "old.sock"))};
    start();
    tests::raw_client idle(addresses[1]);
    tests::raw_client other(addresses[0]);
    for (tests::raw_client* each : {&idle, &other}) {
        each->send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        EXPECT_FALSE(each->read_answer().headers.contains("connection"));
    }
    settings.listen.pop_back();
    EXPECT_EQ(change(settings), "");
    for (tests::raw_client* each : {&idle, &other}) {
        each->send("GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const auto answer = each->read_answer();
        EXPECT_EQ(answer.body, "GET /2 ");
        EXPECT_EQ(answer.headers.contains("connection"), each == &idle);
    }
}

TEST_F(server_change, is_not_made_when_an_address_cannot_be_had) {
    start();
    const std::string first = addresses[0];
    server_settings other = settings;
    other.listen = {at("unix:" + (directory / "fresh.sock")), at(first)}; // in use, by ourselves
    EXPECT_THAT(change(other), HasSubstr(first));
    EXPECT_FALSE(std::filesystem::exists(directory / "fresh.sock")) << "what was opened for it is closed";
    EXPECT_EQ(get(first), "GET /x ");
}

TEST_F(server_change, takes_over_certificates_for_the_connections_to_come) {
    start();
    settings.listen[0].tls = server_tls{directory / "none.pem", directory / "none.key", "1.2", "1.3", {}};
    EXPECT_THAT(change(settings), HasSubstr("none.pem"));
    EXPECT_EQ(get(addresses[0]), "GET /x ");
}

TEST_F(server_change, counts_new_bounds_from_the_next_request_on) {
    settings.max_body_bytes = 10;
    start();
    auto peer = client();
    peer.send(post("/", "12345"));
    EXPECT_EQ(peer.read_answer().status, 200);
    settings.max_body_bytes = 4;
    settings.max_connections = 1;
    EXPECT_EQ(change(settings), "");
    auto second = client();
    EXPECT_EQ(second.read_answer().status, 503);
    peer.send(post("/", "12345"));
    EXPECT_EQ(peer.read_answer().status, 413);
    settings.max_body_bytes = 100;
    EXPECT_EQ(change(settings), "");
    await([this] { return served->connections() == 0; });
    auto third = client();
    third.send(post("/", std::string(50, 'x')));
    EXPECT_EQ(third.read_answer().status, 200);
}

} // namespace
} // namespace linkrunner::net
