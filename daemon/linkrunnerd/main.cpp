// linkrunnerd: command line, configuration, and which of its modes to run.
#include "application.hpp"
#include "check.hpp"
#include "check_events.hpp"
#include "cli/manual.hpp"
#include "config/load.hpp"
#include "exit_codes.hpp"
#include "health.hpp"
#include "manual.hpp"
#include "repair.hpp"
#include "telemetry/log.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

namespace daemon = linkrunner::daemon;
namespace config = linkrunner::config;
namespace cli = linkrunner::cli;

constexpr const char* usual_file = "/etc/linkrunnerd/linkrunnerd.yaml";

struct command_line {
    std::string file;
    std::vector<std::string> overrides;
    std::string events; // file to check
    bool as_json = false;
    bool check = false;
    bool audit = false;
    std::string repair_into;
    bool print = false;
    bool health = false;
};

int report(const std::vector<config::problem>& problems) {
    const char* const priority = linkrunner::log::is_journal(STDERR_FILENO) ? "<3>" : ""; // sd-daemon(3)
    for (const config::problem& each : problems) {
        std::fprintf(stderr, "%slinkrunnerd: %s: %s\n", priority, each.where.c_str(), each.message.c_str());
    }
    return daemon::exit_configuration;
}

int run(command_line given) {
    if (given.file.empty() && std::filesystem::exists(usual_file)) {
        given.file = usual_file;
    }
    config::sources from = config::from_process(given.file, given.overrides);
    from.without_secrets = given.health || !given.events.empty();
    auto outcome = config::load(from);
    if (const auto* problems = std::get_if<std::vector<config::problem>>(&outcome)) {
        return report(*problems);
    }
    config::loaded& loaded = std::get<config::loaded>(outcome);
    if (given.print) {
        std::fputs(config::print(loaded).c_str(), stdout);
        return daemon::exit_clean;
    }
    if (given.health) {
        return daemon::check_health(loaded.values);
    }
    if (!given.events.empty()) {
        return daemon::check_events(loaded, given.events, given.as_json);
    }
    if (given.check) {
        return daemon::check(loaded);
    }
    if (given.audit) {
        return daemon::audit(loaded);
    }
    if (!given.repair_into.empty()) {
        return daemon::repair(loaded, given.repair_into);
    }
    daemon::application app(std::move(loaded), std::move(from));
    return app.run();
}

void declare(CLI::App& program, command_line& into) {
    program.add_option("-c,--config", into.file,
                       "configuration file (default: /etc/linkrunnerd/linkrunnerd.yaml if it exists)");
    program
        .add_option("--set", into.overrides,
                    "override one key: --set upstream.url=http://127.0.0.1:8080/api/v1")
        ->expected(1)
        ->take_all();
    // What it does in place of running; at most one of them.
    CLI::Option_group* instead = program.add_option_group("instead of running");
    instead->add_flag("--check", into.check,
                      "check configuration and spool, change nothing, exit 0, 78, 74 or 75");
    instead->add_flag("--audit", into.audit,
                      "recount the ledger of a spool that is not in use, change nothing, exit 0, 74 or 75");
    instead
        ->add_option("--repair", into.repair_into,
                     "copy what can be read of the spool into this new directory, exit 0, 74 or 75")
        ->type_name("DIRECTORY")
        ->check(
            [](const std::string& into) { return into.empty() ? std::string("is empty") : std::string(); });
    instead->add_flag("--print-config", into.print,
                      "print the configuration in force with the source of each value");
    instead->add_flag("--health", into.health, "ask the running daemon's /healthz, exit 0 or 1");
    auto* const events =
        instead->add_option("--check-events", into.events,
                            "say what would happen to each event of an NDJSON file (- for standard input)");
    instead->require_option(0, 1);
    program.add_flag("--json", into.as_json, "report of --check-events as JSON")->needs(events);
    program.set_version_flag("--version", std::string("linkrunnerd " LINKRUNNER_VERSION));
    cli::add_printing(program, daemon::manual());
}

} // namespace

int main(int argc, char** argv) {
    CLI::App program(
        "Takes Linkrunner events over local HTTP, keeps them on disk, delivers every one of them to "
        "the capture API.",
        "linkrunnerd");
    command_line given;
    declare(program, given);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return program.exit(problem) == 0 ? daemon::exit_clean : daemon::exit_usage;
    }
    try {
        return run(std::move(given));
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "linkrunnerd: unexpected failure: %s; this is a bug, please report it\n",
                     failure.what());
        return daemon::exit_bug;
    }
}
