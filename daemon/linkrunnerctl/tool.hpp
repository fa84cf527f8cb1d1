// What all commands of linkrunnerctl share: the global flags, and the command that was chosen. Each file of
// this folder declares some commands; main parses and runs the chosen one.
#pragma once

#include "ctl/session.hpp"

#include <CLI/CLI.hpp>

#include <cstddef>
#include <functional>
#include <string>

namespace linkrunner::ctl {

struct tool {
    std::string socket = usual_socket;
    bool json = false;
    std::function<int()> chosen; // answers the exit code

    session connect() const { return session(socket); }
};

// A command below `parent` that runs `run` when it is given.
CLI::App* add_command(CLI::App& parent, tool& with, const std::string& name, const std::string& description,
                      std::function<int()> run);

void declare_status(CLI::App& program, tool& with);   // status, version, audit
void declare_queue(CLI::App& program, tool& with);    // queue list, show
void declare_dead(CLI::App& program, tool& with);     // dead list, show, replay, drop, export
void declare_steering(CLI::App& program, tool& with); // pause, resume, rate, reload, drain

void declare_follow(CLI::App& program, tool& with); // tail, explain
void declare_top(CLI::App& program, tool& with);    // top
void declare_send(CLI::App& program, tool& with);   // send

void print(const std::string& text); // to standard output; throws where that fails
std::size_t output_width();          // of the terminal, or of COLUMNS, else 160
double seconds_now();                // since 1970

} // namespace linkrunner::ctl
