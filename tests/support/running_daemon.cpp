#include "support/running_daemon.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <stdexcept>

namespace linkrunner::tests {

namespace {

namespace json = boost::json;

constexpr int look_again_ms = 5;

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

// The message of a log line, "" where it is none; `fields` gets the whole line.
std::string message_of(const std::string& line, json::object& fields) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(line, failure);
    if (failure || !parsed.is_object()) {
        return {};
    }
    fields = parsed.get_object();
    const json::value* message = fields.if_contains("msg");
    return message != nullptr && message->is_string() ? std::string(message->get_string()) : std::string();
}

} // namespace

setting_map test_settings(const temp_directory& home, const std::string& upstream_url) {
    return {
        {"intake.listen", "127.0.0.1:0,unix:" + (home / "intake.sock")},
        {"observe.listen", "127.0.0.1:0"},
        {"control.listen", "unix:" + (home / "control.sock")},
        {"upstream.url", upstream_url},
        {"spool.directory", home / "spool"},
        {"delivery.rate", "20000/s"},
        {"delivery.burst", "1000"},
        {"delivery.backoff.initial", "20ms"},
        {"delivery.backoff.max", "200ms"},
        {"shutdown.drain", "300ms"},
        {"log.format", "json"},
    };
}

command daemon_command(const std::string& program, const setting_map& settings,
                       std::vector<std::pair<std::string, std::string>> environment) {
    command out;
    out.words = {program};
    for (const auto& [key, value] : settings) {
        if (key == "--config") {
            out.words.insert(out.words.end(), {key, value});
        } else {
            out.words.insert(out.words.end(), {"--set", key + "=" + value});
        }
    }
    out.environment = {{"LINKRUNNER_SERVER_KEY", server_key}, {"HTTPS_PROXY", ""}, {"https_proxy", ""}};
    for (auto& [name, value] : environment) {
        std::erase_if(out.environment, [&](const auto& entry) { return entry.first == name; });
        out.environment.emplace_back(name, value);
    }
    return out;
}

running_daemon::running_daemon(const std::string& program, const setting_map& settings,
                               std::vector<std::pair<std::string, std::string>> environment)
    : child_(std::make_unique<process>(daemon_command(program, settings, std::move(environment)))) {
    const auto started = wait_log("linkrunnerd started");
    if (!started) {
        throw std::runtime_error("linkrunnerd did not start:\n" + child_->output());
    }
    listeners_ = split(std::string(started->at("listeners").as_string()));
    observe_ = std::string(started->at("observe").as_string());
    control_ = std::string(started->at("control").as_string());
}

running_daemon::~running_daemon() {
    kill();
    const std::string log = child_->output();
    EXPECT_EQ(log.find(server_key), std::string::npos) << "the server key is in the log";
    if (testing::Test::HasFailure() || std::getenv("LINKRUNNER_TEST_LOG") != nullptr) {
        constexpr std::size_t most = 20'000;
        const std::size_t begin = log.size() > most ? log.size() - most : 0;
        std::fprintf(stderr, "---- log of linkrunnerd\n%s----\n", log.c_str() + begin);
    }
}

http_answer running_daemon::post(const std::string& body, const std::string& target, header_list headers,
                                 std::size_t listener) const {
    bool typed = false;
    for (const auto& header : headers) {
        typed = typed || header.first == "Content-Type";
    }
    if (!typed) {
        headers.emplace_back("Content-Type", "application/json");
    }
    return connect(listener).exchange(request_text("POST", target, body, headers));
}

http_answer running_daemon::observe(const std::string& target) const {
    return wire_client(observe_).exchange(request_text("GET", target));
}

http_answer running_daemon::control(const std::string& method, const std::string& target,
                                    const std::string& body) const {
    return wire_client(control_).exchange(request_text(method, target, body));
}

json::value running_daemon::status() const {
    return json::parse(observe("/status").body);
}

std::uint64_t running_daemon::ledger(const std::string& state) const {
    return status().at("ledger").at(state).to_number<std::uint64_t>();
}

std::string running_daemon::upstream_state() const {
    return std::string(status().at("upstream").at("state").as_string());
}

double running_daemon::metric(const std::string& sample) const {
    const std::string text = "\n" + observe("/metrics").body;
    const std::size_t at = text.find("\n" + sample + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + sample.size() + 2));
}

bool running_daemon::wait_until(const std::function<bool(running_daemon&)>& holds,
                                std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds(*this)) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        ::poll(nullptr, 0, look_again_ms);
    }
    return true;
}

bool running_daemon::wait_ledger(const std::string& state, std::uint64_t count,
                                 std::chrono::milliseconds limit) {
    return wait_until([&](running_daemon& self) { return self.ledger(state) == count; }, limit);
}

bool running_daemon::wait_state(const std::string& wanted, std::chrono::milliseconds limit) {
    return wait_until([&](running_daemon& self) { return self.upstream_state() == wanted; }, limit);
}

std::optional<json::object> running_daemon::wait_log(const std::string& message,
                                                     std::chrono::milliseconds limit) {
    json::object fields;
    const auto line = child_->wait_line(
        [&](const std::string& each) { return message_of(each, fields) == message; }, limit);
    return line ? std::optional(fields) : std::nullopt;
}

int running_daemon::stop(std::chrono::milliseconds limit) {
    child_->signal(SIGTERM);
    const auto code = child_->wait_exit(limit);
    if (!code) {
        ADD_FAILURE() << "linkrunnerd did not stop in time";
        kill();
        return -SIGKILL;
    }
    return *code;
}

void running_daemon::kill() {
    child_->signal(SIGKILL);
    child_->wait_exit();
}

} // namespace linkrunner::tests
