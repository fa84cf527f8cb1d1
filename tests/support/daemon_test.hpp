// The usual scene of a test of the whole program: a sandbox in this process, a linkrunnerd beside it. At the
// end the daemon must stop with exit code 0. Included by test programs that are given BINARY_DIR.
#pragma once

#include "sandbox/background.hpp"
#include "support/running_daemon.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace linkrunner::tests {

inline const std::string linkrunnerd = BINARY_DIR "/linkrunnerd";

// An event as callers send it.
inline std::string event_text(const std::string& name, const std::string& user, const std::string& id = "",
                              const std::string& more = "") {
    std::string out = "{\"event_name\":\"" + name + "\",\"user_id\":\"" + user + "\"";
    if (!id.empty()) {
        out += ",\"event_id\":\"" + id + "\"";
    }
    return out + (more.empty() ? "" : "," + more) + "}";
}

inline boost::json::value parsed(const http_answer& answer) {
    boost::system::error_code failure;
    boost::json::value out = boost::json::parse(answer.body, failure);
    if (failure) {
        ADD_FAILURE() << "not JSON: status " << answer.status << " body " << answer.body;
    }
    return out;
}

inline std::string text_at(const http_answer& answer, const std::string& pointer) {
    boost::system::error_code failure;
    const boost::json::value all = parsed(answer);
    const boost::json::value* found = all.find_pointer(pointer, failure);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

inline std::int64_t number_at(const http_answer& answer, const std::string& pointer) {
    boost::system::error_code failure;
    const boost::json::value all = parsed(answer);
    const boost::json::value* found = all.find_pointer(pointer, failure);
    return found != nullptr && found->is_number() ? found->to_number<std::int64_t>() : -1;
}

inline std::string code_of(const http_answer& answer) {
    return text_at(answer, "/data/code");
}

// A sandbox that takes the daemon's key only.
inline sandbox::api_settings keyed() {
    sandbox::api_settings out;
    out.key = server_key;
    return out;
}

class daemon_test : public testing::Test {
  protected:
    void start_sandbox(const sandbox::api_settings& behaviour = keyed(),
                       const sandbox::server_settings& options = sandbox::background::any_port()) {
        api = sandbox::background::start(behaviour, options).value();
        settings = test_settings(home, api->url());
    }

    // Starts the daemon with `settings` and the changes given.
    running_daemon& start(const setting_map& changes = {},
                          std::vector<std::pair<std::string, std::string>> environment = {}) {
        if (!api) {
            start_sandbox();
        }
        for (const auto& [key, value] : changes) {
            settings[key] = value;
        }
        daemon.reset();
        daemon = std::make_unique<running_daemon>(linkrunnerd, settings, std::move(environment));
        return *daemon;
    }

    void TearDown() override {
        if (daemon && !stopped) {
            EXPECT_EQ(daemon->stop(), 0);
        }
        daemon.reset();
    }

    temp_directory home;
    std::unique_ptr<sandbox::background> api;
    setting_map settings;
    std::unique_ptr<running_daemon> daemon;
    bool stopped = false; // the test has seen to its end itself
};

} // namespace linkrunner::tests
