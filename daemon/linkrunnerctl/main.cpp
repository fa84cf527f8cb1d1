// linkrunnerctl: the operator's tool of linkrunnerd (docs/linkrunnerctl.md).
#include "program.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    namespace ctl = linkrunner::ctl;
    std::signal(SIGPIPE,
                SIG_IGN); // a daemon that goes away is an error to be told, not an end without a word
    ctl::tool with;
    const auto program = ctl::make_program(with);
    try {
        program->parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        return program->exit(wrong) == 0 ? ctl::exit_done : ctl::exit_usage;
    }
    try {
        return with.chosen();
    } catch (const ctl::failure& why) {
        std::fflush(stdout);
        std::fprintf(stderr, "linkrunnerctl: %s\n", why.what());
        return why.exit_code();
    } catch (const std::exception& why) {
        std::fprintf(stderr, "linkrunnerctl: unexpected failure: %s; this is a bug, please report it\n",
                     why.what());
        return ctl::exit_failed;
    }
}
