// pause, resume, rate, reload, drain.
#include "base/duration.hpp"
#include "ctl/fields.hpp"
#include "ctl/text.hpp"
#include "tool.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <poll.h>
#include <unistd.h>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

constexpr int look_again_ms = 200;

int ask_for(const tool& with, const std::string& target, const std::string& words) {
    session daemon = with.connect();
    const auto done = daemon.post(target);
    print(with.json ? daemon.raw() + "\n"
                    : words + (at(done, "/pending").is_number()
                                   ? " " + count_text(count_at(done, "/pending")) + " events wait.\n"
                                   : "\n"));
    return exit_done;
}

std::string configured_text(const json::value& rate) {
    const auto configured = number_at(rate, "/configured_per_second");
    return configured ? rate_text(*configured) : std::string("auto");
}

double read_rate(const std::string& text) {
    const std::string number = text.ends_with("/s") ? text.substr(0, text.size() - 2) : text;
    std::size_t used = 0;
    double out = 0;
    try {
        out = std::stod(number, &used);
    } catch (const std::exception&) {
        used = 0;
    }
    if (used == 0 || used != number.size()) {
        throw failure(exit_usage,
                      "'" + text + "' is no rate: write requests per second, as 10 or 0.5/s, or `reset`");
    }
    return out;
}

void print_changes(const json::value& changes, const char* title) {
    const json::array* const all = changes.if_array();
    if (all == nullptr || all->empty()) {
        return;
    }
    print(std::string(title) + "\n");
    for (const json::value& each : *all) {
        print("  " + text_at(each, "/key") + ": " + text_at(each, "/from") + " -> " + text_at(each, "/to") +
              "\n");
    }
}

int reload(const tool& with) {
    session daemon = with.connect();
    const auto done = daemon.post("/v1/reload");
    if (with.json) {
        print(daemon.raw() + "\n");
        return exit_done;
    }
    print_changes(at(done, "/changed"), "Changed:");
    print_changes(at(done, "/needs_restart"), "Waits for a restart:");
    print("Reloaded; the files of secrets were looked at, and what is held is probed.\n");
    return exit_done;
}

int rate(const tool& with, const std::string& wanted) {
    session daemon = with.connect();
    json::value now;
    if (wanted.empty()) {
        now = daemon.get("/v1/rate");
    } else if (wanted == "reset") {
        now = daemon.post("/v1/rate", json::object{{"reset", true}});
    } else {
        now = daemon.post("/v1/rate", json::object{{"per_second", read_rate(wanted)}});
    }
    if (with.json) {
        print(daemon.raw() + "\n");
        return exit_done;
    }
    std::string out = "In force    " + rate_text(number_at(now, "/in_force_per_second").value_or(0)) +
                      "\nConfigured  " + configured_text(now) + " (delivery.rate)\n";
    if (const auto temporary = number_at(now, "/temporary_per_second")) {
        out += "Temporary   " + rate_text(*temporary) + ", until a restart or `linkrunnerctl rate reset`\n";
    }
    print(out);
    return exit_done;
}

struct drain_options {
    bool wait = false;
    std::string timeout;
};

int drain(const tool& with, const drain_options& given) {
    const auto limit = given.timeout.empty() ? std::nullopt : parse_duration(given.timeout);
    if (!given.timeout.empty() && !limit) {
        throw failure(exit_usage, "'" + given.timeout + "' is no duration, as 30s, 15m or 2h");
    }
    if (!given.wait) {
        return ask_for(with, "/v1/drain",
                       "Draining: no new events are taken; `linkrunnerctl resume` takes them again.");
    }
    session daemon = with.connect();
    auto left = count_at(daemon.post("/v1/drain"), "/pending");
    const auto end = std::chrono::steady_clock::now() + limit.value_or(std::chrono::hours(24 * 365));
    const bool shows = ::isatty(STDERR_FILENO) == 1;
    while (left > 0 && std::chrono::steady_clock::now() < end) {
        if (shows) {
            std::fprintf(stderr, "\r%s events wait \033[K", count_text(left).c_str());
        }
        ::poll(nullptr, 0, look_again_ms);
        left = count_at(daemon.get("/v1/status"), "/daemon/ledger/pending");
    }
    if (shows) {
        std::fputs("\r\033[K", stderr);
    }
    print(with.json ? "{\"pending\":" + std::to_string(left) + "}\n"
          : left == 0
              ? "Drained: nothing waits. No new events are taken until `linkrunnerctl resume` or a restart.\n"
              : "Not drained in time: " + count_text(left) + " events wait, and no new ones are taken.\n");
    return left == 0 ? exit_done : exit_failed;
}

} // namespace

void declare_steering(CLI::App& program, tool& with) {
    add_command(program, with, "pause",
                "send nothing; events are taken and kept. Until `resume`, or a restart", [&with] {
                    return ask_for(with, "/v1/pause", "Paused: nothing is sent; events are taken and kept.");
                });
    add_command(program, with, "resume", "the end of `pause` and of `drain`",
                [&with] { return ask_for(with, "/v1/resume", "Events are taken and delivered."); });
    const auto wanted = std::make_shared<std::string>();
    add_command(program, with, "rate", "see the rate of delivery, or change it until a restart",
                [&with, wanted] { return rate(with, *wanted); })
        ->add_option("RATE", *wanted,
                     "requests per second, as 10 or 0.5/s; `reset` goes back to delivery.rate");
    add_command(program, with, "reload",
                "take over the changed configuration, key and token, probe what is held",
                [&with] { return reload(with); });
    const auto draining = std::make_shared<drain_options>();
    CLI::App* drains =
        add_command(program, with, "drain",
                    "take no new events and deliver those that wait. Until `resume`, or a restart",
                    [&with, draining] { return drain(with, *draining); });
    drains->add_flag("--wait", draining->wait,
                     "until nothing waits any more; exit 1 when the time is up before");
    drains->add_option("--timeout", draining->timeout, "how long at most: 30s, 15m, 2h")
        ->type_name("TIME")
        ->needs("--wait");
}

} // namespace linkrunner::ctl
