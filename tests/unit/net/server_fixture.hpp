// A server on an ephemeral port with a handler that a test scripts.
#pragma once

#include "net/server.hpp"
#include "support/net_loop_thread.hpp"
#include "support/net_raw_client.hpp"
#include "support/temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace linkrunner::net {

// Answers with method, target and body unless told otherwise. Used on the loop's thread, except where said.
class scripted_handler : public request_handler {
  public:
    std::optional<response> refuse_early(request& head) override {
        ++heads;
        return refuse ? refuse(head) : std::nullopt;
    }
    void handle(request& whole, responder answer) override {
        ++handled;
        if (serve) {
            serve(whole, std::move(answer));
            return;
        }
        response made;
        made.content_type = "text/plain";
        made.body = std::string(whole.method()) + " " + std::string(whole.target()) + " " + whole.body();
        answer(std::move(made));
    }
    response protocol_error(int status, std::string_view code, std::string_view) override {
        response made;
        made.status = status;
        made.body = code;
        return made;
    }
    bool may_read() override { return open; }

    std::function<std::optional<response>(request&)> refuse;
    std::function<void(request&, responder)> serve;
    std::atomic<bool> open{true};
    std::atomic<int> heads{0}, handled{0}; // read by tests
};

class server_test : public ::testing::Test {
  protected:
    ~server_test() override {
        loop.call([this] { served.reset(); });
    }

    void start() {
        if (settings.listen.empty()) {
            settings.listen.push_back(at("127.0.0.1:0"));
        }
        loop.call([this] {
            auto made = server::open(loop.loop(), settings, handler);
            ASSERT_TRUE(made.has_value()) << made.error().message;
            served = std::move(*made);
            addresses = served->addresses();
            served->start();
        });
    }

    static listen_address at(std::string text) {
        listen_address made;
        made.text = std::move(text);
        return made;
    }

    // Waits until `condition` holds on the loop.
    template <class Condition>
    void await(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + tests::raw_client::patience;
        while (!loop.call(condition)) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::yield();
        }
    }

    tests::raw_client client() { return tests::raw_client(addresses.at(0)); }

    static std::string post(const std::string& target, const std::string& body,
                            const std::string& more = "") {
        return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    // What a server says to `bytes` on a new connection until it closes.
    std::string exchange(const std::string& bytes) {
        auto peer = client();
        peer.try_send(bytes);
        return peer.read_to_end();
    }

    responder held; // outlive the loop: they belong to its thread while it runs
    std::vector<responder> all_held;
    tests::loop_thread loop;
    scripted_handler handler;
    server_settings settings;
    std::unique_ptr<server> served;
    std::vector<std::string> addresses;
};

} // namespace linkrunner::net
