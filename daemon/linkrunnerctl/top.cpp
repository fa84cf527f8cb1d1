// top: the status, live.
#include "ctl/screen.hpp"
#include "ctl/top_view.hpp"
#include "tool.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

namespace linkrunner::ctl {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct top_options {
    double seconds = 1;
    bool ascii = false;
};

int top(const tool& with, const top_options& given) {
    if (with.json) {
        throw failure(exit_usage, "top draws a screen; `linkrunnerctl status --json` prints what it shows");
    }
    auto daemon = std::make_optional(with.connect()); // what is wrong is said before the screen is taken
    boost::json::value status = daemon->get("/v1/status");
    const screen terminal;
    const bool ascii = given.ascii || !terminal_takes_utf8();
    const auto every = milliseconds(static_cast<long>(given.seconds * 1000));
    course past;
    std::string problem;
    past.take(status, 0);
    auto asked = steady_clock::now();
    for (;;) {
        const screen_size size = terminal.size();
        terminal.write(redraw(top_lines(status, past, size, problem, ascii), size));
        const auto left = std::chrono::duration_cast<milliseconds>(asked + every - steady_clock::now());
        const auto what = terminal.wait(std::max(left, milliseconds(0)));
        if (what == screen::event::quit) {
            return exit_done;
        }
        const auto now = steady_clock::now();
        if (what == screen::event::resized || (what == screen::event::nothing && now < asked + every)) {
            continue;
        }
        try {
            if (!daemon) {
                daemon.emplace(with.socket);
            }
            status = daemon->get("/v1/status");
            past.take(status, std::chrono::duration<double>(now - asked).count());
            problem.clear();
        } catch (const failure& why) { // it may come back
            problem = std::string(why.what()).substr(0, std::string(why.what()).find('\n'));
            daemon.reset();
        }
        asked = now;
    }
}

} // namespace

void declare_top(CLI::App& program, tool& with) {
    const auto given = std::make_shared<top_options>();
    CLI::App* command = add_command(program, with, "top", "the status live, until q or Ctrl-C",
                                    [&with, given] { return top(with, *given); });
    command->add_option("--every", given->seconds, "seconds from one look to the next")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str()
        ->type_name("SECONDS");
    command->add_flag("--ascii", given->ascii, "draw with ASCII only, also where the locale says UTF-8");
}

} // namespace linkrunner::ctl
