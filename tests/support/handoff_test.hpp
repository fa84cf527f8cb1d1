// The scene of a hand-off: a sandbox, a linkrunnerd beside it as the gateway, which asks for a token, and the
// linkrunnerd of daemon_test as the sidecar before the gateway.
#pragma once

#include "support/daemon_test.hpp"

#include <memory>
#include <string>

namespace linkrunner::tests {

inline constexpr const char* gateway_token = "gateway-t0ken-77aa";

class handoff_test : public daemon_test {
  protected:
    // The gateway, on the same address and spool when it is started again.
    running_daemon& start_gateway(const setting_map& changes = {}) {
        if (!api) {
            start_sandbox();
        }
        if (gateway_settings_.empty()) {
            gateway_settings_ = settings;
            gateway_settings_["intake.listen"] = "0.0.0.0:0"; // not loopback, so it asks for the token
            gateway_settings_["intake.token_file"] = home.write("gateway.token", gateway_token);
            gateway_settings_["control.listen"] = "unix:" + (home / "gateway-control.sock");
            gateway_settings_["spool.directory"] = home / "gateway-spool";
        }
        for (const auto& [key, value] : changes) {
            gateway_settings_[key] = value;
        }
        gateway.reset();
        gateway = std::make_unique<running_daemon>(linkrunnerd, gateway_settings_);
        port_ = gateway->listeners().at(0).substr(gateway->listeners().at(0).rfind(':'));
        gateway_settings_["intake.listen"] = "0.0.0.0" + port_;
        return *gateway;
    }

    std::string gateway_url(const std::string& scheme = "http") const {
        return scheme + "://127.0.0.1" + port_;
    }

    // As a relay: it needs no server key, and has none.
    running_daemon& start_relay(const setting_map& changes = {}) {
        setting_map relay = {{"upstream.kind", "forwarder"},
                             {"upstream.url", gateway_url()},
                             {"upstream.token_file", home.write("relay.token", gateway_token)}};
        for (const auto& [key, value] : changes) {
            relay[key] = value;
        }
        return start(relay, {{"LINKRUNNER_SERVER_KEY", ""}});
    }

    // With events for the API, and the gateway for what is left at its end.
    running_daemon& start_sidecar(const setting_map& changes = {}) {
        setting_map sidecar = {{"shutdown.handoff", gateway_url()},
                               {"shutdown.handoff_token_file", home.write("sidecar.token", gateway_token)}};
        for (const auto& [key, value] : changes) {
            sidecar[key] = value;
        }
        return start(sidecar);
    }

    // Ids "<prefix>0" and on, of so many users.
    void post_many(int count, int users = 1'000, const std::string& prefix = "id-") {
        constexpr int at_once = 5'000;
        for (int done = 0; done < count;) {
            std::string lines;
            for (int i = 0; i < at_once && done < count; ++i, ++done) {
                lines += event_text("level_completed", "u" + std::to_string(done % users),
                                    prefix + std::to_string(done), R"("event_data":{"level":7})") +
                         "\n";
            }
            const auto answer = daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}});
            ASSERT_EQ(answer.status, 202) << answer.body.substr(0, 500);
        }
    }

    void TearDown() override {
        daemon_test::TearDown();
        if (gateway) {
            EXPECT_EQ(gateway->stop(), 0);
            EXPECT_EQ(gateway->child().output().find(gateway_token), std::string::npos);
        }
        gateway.reset();
    }

    std::unique_ptr<running_daemon> gateway;

  private:
    setting_map gateway_settings_;
    std::string port_; // ":12345"
};

} // namespace linkrunner::tests
