// A client whose upstream is played by the test, byte by byte.
#pragma once

#include "net/client.hpp"
#include "support/net_loop_thread.hpp"
#include "support/net_raw_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

namespace linkrunner::net {

class client_test : public ::testing::Test {
  protected:
    client_test() { settings.url = "http://" + upstream.address() + "/api/v1"; }
    ~client_test() override {
        loop.call([this] { sender.reset(); });
    }

    void make() {
        loop.call([this] {
            auto made = client::make(loop.loop(), settings);
            ASSERT_TRUE(made.has_value()) << made.error().message;
            sender = std::move(*made);
        });
    }

    std::future<answer> send(const std::string& path = "/capture-event", const std::string& body = "{}") {
        outgoing request;
        request.path = path;
        request.body = body;
        return send(std::move(request));
    }

    std::future<answer> send(outgoing request) {
        if (!sender) {
            make();
        }
        auto promise = std::make_shared<std::promise<answer>>();
        auto future = promise->get_future();
        loop.call([&] {
            sender->send(std::move(request), [promise](answer got) { promise->set_value(std::move(got)); });
        });
        return future;
    }

    static answer get(std::future<answer>& from) {
        if (from.wait_for(tests::raw_client::patience) != std::future_status::ready) {
            throw std::runtime_error("no answer in time");
        }
        return from.get();
    }

    std::size_t open() {
        return loop.call([this] { return sender->open_connections(); });
    }

    // Waits until that many connections are open.
    void await_open(std::size_t count) {
        const auto deadline = std::chrono::steady_clock::now() + tests::raw_client::patience;
        while (open() != count) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::yield();
        }
    }

    static std::string ok(const std::string& body, const std::string& headers = "") {
        return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }

    tests::raw_server upstream;
    tests::loop_thread loop;
    client_settings settings;
    std::unique_ptr<client> sender;
};

} // namespace linkrunner::net
