// A real linkrunnerd for tests: started on free ports with a spool in the test's own directory, watched by
// its JSON log, asked over HTTP, stopped at the end. Its output must never hold the server key.
#pragma once

#include "support/process.hpp"
#include "support/temp_directory.hpp"
#include "support/wire_client.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::tests {

inline constexpr const char* server_key = "lr-test-key-5f1c7d20";

// Dotted keys, and "--config" for a file, which the others override; later ones win.
using setting_map = std::map<std::string, std::string>;

// Settings that suit tests: free ports, a Unix socket and the spool in `home`, no pacing, short backoff.
setting_map test_settings(const temp_directory& home, const std::string& upstream_url);

class running_daemon {
  public:
    // Starts `program` and waits until it says that it has started. Throws with its output when it does not.
    running_daemon(const std::string& program, const setting_map& settings,
                   std::vector<std::pair<std::string, std::string>> environment = {});
    ~running_daemon(); // SIGKILL when it still runs; the log is shown if the test failed or
                       // LINKRUNNER_TEST_LOG is set

    process& child() { return *child_; }
    const std::vector<std::string>& listeners() const { return listeners_; } // in the order of intake.listen
    const std::string& observe_address() const { return observe_; }
    const std::string& control_address() const { return control_; } // empty: it has none

    wire_client connect(std::size_t listener = 0) const { return wire_client(listeners_.at(listener)); }

    // One request on a connection of its own.
    http_answer post(const std::string& body, const std::string& target = "/v1/events",
                     header_list headers = {}, std::size_t listener = 0) const;
    http_answer observe(const std::string& target) const;
    http_answer control(const std::string& method, const std::string& target,
                        const std::string& body = {}) const;

    boost::json::value status() const;
    std::uint64_t ledger(const std::string& state) const; // "pending", "delivered", ...
    std::string upstream_state() const;

    // The value of a sample of /metrics, named as there: "linkrunnerd_attempts_total{outcome=\"throttled\"}".
    double metric(const std::string& sample) const;

    // Asks again and again until it holds. False when the time is up.
    bool wait_until(const std::function<bool(running_daemon&)>& holds,
                    std::chrono::milliseconds limit = patience);
    bool wait_ledger(const std::string& state, std::uint64_t count,
                     std::chrono::milliseconds limit = patience);
    bool wait_state(const std::string& upstream_state, std::chrono::milliseconds limit = patience);

    // A line of the log with this message; its fields.
    std::optional<boost::json::object> wait_log(const std::string& message,
                                                std::chrono::milliseconds limit = patience);

    // SIGTERM; the exit code (minus the signal if one ended it).
    int stop(std::chrono::milliseconds limit = patience);
    void kill(); // SIGKILL, and waits for the end

  private:
    std::unique_ptr<process> child_;
    std::vector<std::string> listeners_;
    std::string observe_;
    std::string control_;
};

// The command line for these settings.
command daemon_command(const std::string& program, const setting_map& settings,
                       std::vector<std::pair<std::string, std::string>> environment = {});

} // namespace linkrunner::tests
