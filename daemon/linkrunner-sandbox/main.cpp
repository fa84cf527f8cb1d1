// linkrunner-sandbox: a stateful fake of the Linkrunner API for demos, staging and tests (docs/sandbox.md).
#include "base/duration.hpp"
#include "cli/manual.hpp"
#include "sandbox/control.hpp"
#include "sandbox/server.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

namespace sandbox = linkrunner::sandbox;
namespace cli = linkrunner::cli;

constexpr int exit_refused = 1;
constexpr int exit_usage = 2;

struct options {
    sandbox::api_settings behaviour;
    sandbox::server_settings server;
    std::string rate;
    std::string retry_after = "none";
    std::string fault_file;
    std::string port_file;
    std::vector<std::string> faults;
    std::int64_t skew_seconds = 0;
};

cli::manual_text manual() {
    cli::manual_text out;
    out.summary = "a fake of the Linkrunner capture API";
    out.description = "It takes events as the API does, keeps the last of them, counts repeats, and "
                      "misbehaves when it is told to. "
                      "On standard output it says its URL, for upstream.url of linkrunnerd. GET /events, "
                      "/stats and /faults beside "
                      "the prefix show and change what it does.";
    out.sections = {
        {"Exit status", "0: stopped by SIGTERM or SIGINT. 1: it cannot start. 2: wrong command line."},
        {"Examples", "An API that takes ten requests a second:\n\n  linkrunner-sandbox --rate 10/s "
                     "--retry-after exact\n\n"
                     "One that is down for ten seconds after a hundred requests:\n\n"
                     "  linkrunner-sandbox --fault 'after=100 status=503 for=10s'"}};
    out.see_also = {"linkrunnerd(8)", "linkrunnerctl(1)"};
    return out;
}

void declare(CLI::App& program, options& into) {
    program.add_option("--listen", into.server.listen, "host:port; port 0 takes any")->capture_default_str();
    program.add_option("--port-file", into.port_file, "file to write the port to when ready");
    program.add_option("--prefix", into.behaviour.prefix, "path before /capture-event")
        ->capture_default_str();
    program.add_option("--key", into.behaviour.key, "the only server key accepted; any without this option");
    program.add_option("--status", into.behaviour.status, "of a success")
        ->check(CLI::Range(200, 299))
        ->capture_default_str();
    program.add_option("--rate", into.rate, "limit: '30/s', '30/s bucket 5', '30/s window', '30/s sliding'");
    program.add_option("--retry-after", into.retry_after, "in its own 429s: none, exact, date or seconds")
        ->capture_default_str();
    program.add_option("--fault", into.faults, "a rule: 'after=100 status=429 retry_after=5 for=10s'");
    program.add_option("--fault-file", into.fault_file, "rules, one a line")->check(CLI::ExistingFile);
    program.add_option("--keep", into.behaviour.keep_events, "events kept whole")->capture_default_str();
    program.add_option("--max-body", into.behaviour.max_body_bytes, "bytes")->capture_default_str();
    program.add_option("--clock-skew", into.skew_seconds, "seconds added to the time in answers");
    program.add_flag("--tls", into.server.tls, "HTTPS with a certificate made at start");
    program.add_option("--tls-dir", into.server.security.directory,
                       "directory for ca.crt (and ca.key), kept for the next start");
    program.add_option("--tls-name", into.server.security.names, "names and addresses in the certificate");
    program.add_flag("--tls-expired", into.server.security.expired, "a certificate that ended yesterday");
    program.add_option("--tls-min", into.server.security.min_version, "1.0 to 1.3")->capture_default_str();
    program.add_option("--tls-max", into.server.security.max_version, "1.0 to 1.3")->capture_default_str();
    program.set_version_flag("--version", "linkrunner-sandbox " LINKRUNNER_VERSION);
    cli::add_printing(program, manual());
}

void read_retry_after(const std::string& word, sandbox::api_settings& into) {
    if (word == "none") {
        return;
    }
    if (word == "exact") {
        into.retry_after = sandbox::retry_after_kind::exact;
    } else if (word == "date") {
        into.retry_after = sandbox::retry_after_kind::date;
    } else if (!word.empty() && word.size() < 10 &&
               word.find_first_not_of("0123456789") == std::string::npos) {
        into.retry_after = sandbox::retry_after_kind::fixed;
        into.retry_after_seconds = std::chrono::seconds(std::stol(word));
    } else {
        throw CLI::ValidationError("--retry-after", "none, exact, date or a number of seconds");
    }
}

std::vector<sandbox::fault> read_faults(const options& from) {
    std::ostringstream script;
    if (!from.fault_file.empty()) {
        script << std::ifstream(from.fault_file).rdbuf() << '\n';
    }
    for (const std::string& rule : from.faults) {
        script << rule << '\n';
    }
    return sandbox::parse_faults(script.str()).value();
}

int serve(const options& from) {
    linkrunner::system_clock time;
    sandbox::api state(from.behaviour);
    state.faults().add(read_faults(from), time.steady());
    boost::asio::io_context context(1);
    const auto listener = sandbox::server::open(context, from.server, state, time).value();
    boost::asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code&, int) { listener->stop(); });
    listener->start();
    if (!from.port_file.empty()) {
        std::ofstream file(from.port_file);
        file << listener->port() << '\n';
        if (!file.flush()) {
            std::cerr << "linkrunner-sandbox: cannot write " << from.port_file << '\n';
            return exit_refused;
        }
    }
    std::cout << listener->url() << std::endl;
    context.run();
    std::cerr << sandbox::summary_json(state) << '\n';
    return 0;
}

} // namespace

int main(int count, char** words) {
    CLI::App program("A stateful fake of the Linkrunner API for demos, staging and tests.",
                     "linkrunner-sandbox");
    options given;
    declare(program, given);
    try {
        program.parse(count, words);
        read_retry_after(given.retry_after, given.behaviour);
        if (!given.rate.empty()) {
            given.behaviour.rate = sandbox::parse_rate(given.rate).value();
        }
        given.behaviour.clock_skew = std::chrono::seconds(given.skew_seconds);
        return serve(given);
    } catch (const CLI::ParseError& wrong) {
        return program.exit(wrong) == 0 ? 0 : exit_usage;
    } catch (const std::exception& wrong) {
        std::cerr << "linkrunner-sandbox: " << wrong.what() << '\n';
        return exit_refused;
    }
}
