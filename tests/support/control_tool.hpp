// linkrunnerctl run beside a running daemon. Included by test programs that are given BINARY_DIR.
#pragma once

#include "support/daemon_test.hpp"

#include <string>
#include <vector>

namespace linkrunner::tests {

inline const std::string linkrunnerctl = BINARY_DIR "/linkrunnerctl";

struct tool_outcome {
    int code = 0;
    std::string text; // standard output and error

    boost::json::value json() const {
        boost::system::error_code failure;
        boost::json::value out = boost::json::parse(text, failure);
        if (failure) {
            ADD_FAILURE() << "not JSON: " << text;
        }
        return out;
    }
    bool says(const std::string& words) const { return text.find(words) != std::string::npos; }
};

class control_tool : public daemon_test {
  protected:
    command tool_command(const std::vector<std::string>& words) const {
        command out;
        out.words = {linkrunnerctl, "--socket", home / "control.sock"};
        out.words.insert(out.words.end(), words.begin(), words.end());
        return out;
    }
    tool_outcome ctl(const std::vector<std::string>& words) const {
        const auto [code, text] = run(tool_command(words));
        return {code, text};
    }
    // Runs until its output holds these words.
    bool shows(const std::vector<std::string>& words, const std::string& wanted) {
        return daemon->wait_until([&](running_daemon&) { return ctl(words).says(wanted); });
    }

    void post(const std::string& name, const std::string& id, const std::string& user = "u1") {
        ASSERT_EQ(daemon->post(event_text(name, user, id)).status, 202);
    }
    void post_many(int count, const std::string& prefix = "e") {
        std::string lines;
        for (int i = 0; i < count; ++i) {
            lines +=
                event_text("level_completed", "u" + std::to_string(i), prefix + std::to_string(i)) + "\n";
        }
        ASSERT_EQ(daemon->post(lines, "/v1/events", {{"Content-Type", "application/x-ndjson"}}).status, 202);
    }
};

} // namespace linkrunner::tests
