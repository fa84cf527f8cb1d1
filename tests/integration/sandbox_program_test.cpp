// linkrunner-sandbox as a program: its options, its output, its control paths.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

const std::string program = BINARY_DIR "/linkrunner-sandbox";

class sandbox_program : public testing::Test {
  protected:
    void start(std::vector<std::string> options) {
        options.insert(options.begin(), {program, "--listen", "127.0.0.1:0"});
        child_ = std::make_unique<process>(command{options, {}, ""});
        const auto line = child_->wait_line([](const std::string& text) { return text.starts_with("http"); });
        ASSERT_TRUE(line) << child_->output();
        url_ = *line;
        address_ = url_.substr(url_.find("//") + 2);
        address_.resize(address_.find('/'));
    }

    http_answer post(const std::string& body) const {
        return wire_client(address_).exchange(
            request_text("POST", "/api/v1/capture-event", body,
                         {{"linkrunner-key", "k"}, {"Content-Type", "application/json"}}));
    }

    temp_directory home_;
    std::unique_ptr<process> child_;
    std::string url_, address_;
};

TEST_F(sandbox_program, prints_its_address_and_ends_with_a_summary) {
    start({"--port-file", home_ / "port", "--status", "200"});
    EXPECT_THAT(url_, MatchesRegex("http://127\\.0\\.0\\.1:[0-9]+/api/v1"));
    std::string port;
    std::ifstream(home_ / "port") >> port;
    EXPECT_EQ("127.0.0.1:" + port, address_);
    EXPECT_EQ(post(event_text("e", "u", "1")).status, 200);
    child_->signal(SIGTERM);
    EXPECT_EQ(child_->wait_exit(), 0);
    EXPECT_TRUE(child_->wait_line(
        [](const std::string& line) { return line.find("\"events\":1") != std::string::npos; }));
}

TEST_F(sandbox_program, takes_faults_rate_and_key) {
    start({"--fault", "name=bad status=400 message='not this one'", "--rate", "1/s bucket 2", "--retry-after",
           "7", "--key", "k"});
    EXPECT_EQ(text_at(post(event_text("bad", "u")), "/msg"), "not this one");
    EXPECT_EQ(post(event_text("fine", "u")).status, 201);
    const auto limited = post(event_text("fine", "u"));
    EXPECT_EQ(limited.status, 429);
    EXPECT_EQ(limited.header("retry-after"), "7");
    EXPECT_EQ(wire_client(address_).exchange(request_text("PUT", "/key", "other")).status, 200);
    EXPECT_EQ(wire_client(address_).exchange(request_text("DELETE", "/rate")).status, 200);
    EXPECT_EQ(post(event_text("fine", "u")).status, 401);
    EXPECT_THAT(wire_client(address_).exchange(request_text("GET", "/events?format=ndjson")).body,
                HasSubstr("\"event\":" + event_text("fine", "u") + "}\n"));
}

TEST_F(sandbox_program, writes_its_authority_for_clients_to_trust) {
    start({"--tls", "--tls-dir", home_ / "tls"});
    EXPECT_THAT(url_, HasSubstr("https://"));
    const auto trusted = run({{"curl", "-sS", "--cacert", home_ / "tls/ca.crt", url_ + "/capture-event", "-H",
                               "linkrunner-key: k", "--json", event_text("e", "u")},
                              {},
                              ""});
    EXPECT_EQ(trusted.first, 0) << trusted.second;
    EXPECT_THAT(trusted.second, HasSubstr("Event capture request received!"));
    EXPECT_EQ(run({{"curl", "-sS", url_}, {}, ""}).first, 60);
}

TEST_F(sandbox_program, says_what_is_wrong_with_its_options) {
    const auto outcome = [&](std::vector<std::string> options) {
        options.insert(options.begin(), program);
        return run({options, {}, ""});
    };
    EXPECT_EQ(outcome({"--frobnicate"}).first, 2);
    EXPECT_EQ(outcome({"--status", "500"}).first, 2);
    EXPECT_EQ(outcome({"--retry-after", "soon"}).first, 2);
    EXPECT_EQ(outcome({"--rate", "fast"}).first, 1);
    const auto [code, output] = outcome({"--fault", "stauts=500"});
    EXPECT_EQ(code, 1);
    EXPECT_THAT(output, HasSubstr("unknown word 'stauts=500'"));
    EXPECT_EQ(outcome({"--help"}).first, 0);
}

} // namespace
} // namespace linkrunner::tests
