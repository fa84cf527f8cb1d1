#include "manual.hpp"

#include "config/key.hpp"
#include "config/reference.hpp"

namespace linkrunner::daemon {

namespace {

// The keys by the table that the parser works with.
std::string keys_text() {
    std::string out =
        "Every key has a default but the server key. In YAML, dots are levels; --set takes them as they "
        "stand here, and a variable with LINKRUNNERD_, upper case and two underscores for each dot.\n\n";
    for (const config::key& each : config::keys()) {
        out += std::string(each.name) + " (" + config::describe(each.form) +
               "): " + std::string(each.description) + "\n\n";
    }
    return out;
}

} // namespace

cli::manual_text manual() {
    cli::manual_text out;
    out.section = 8;
    out.summary = "durable forwarder of Linkrunner events";
    out.description = "Services post events to it over local HTTP or a Unix socket and get their answer when "
                      "the event is on disk. "
                      "It forwards them to the Linkrunner capture API at the pace that the API allows, "
                      "through outages, rate "
                      "limits, restarts and power cuts. linkrunnerctl(1) shows what it does.";
    out.sections = {
        {"Signals",
         "SIGTERM, SIGINT: no new events; deliveries go on for at most shutdown.drain, and the rest waits on "
         "disk for the next start. A second one stops at once.\n\n"
         "SIGHUP: the files of secrets are read again, and what is held is probed; as linkrunnerctl reload."},
        {"Exit status",
         "0: stopped as asked. 2: wrong command line. 70: a bug. 74: the spool directory cannot be used. "
         "75: another linkrunnerd uses it, or an address is in use. 78: the configuration is wrong; "
         "--check names every problem."},
        {"Files",
         "/etc/linkrunnerd/linkrunnerd.yaml: the configuration, if it exists.\n\n"
         "/etc/linkrunnerd/server.key: the server key, unless upstream.server_key_file, "
         "LINKRUNNER_SERVER_KEY or "
         "the systemd credential server_key says otherwise.\n\n"
         "/var/lib/linkrunnerd: the spool.\n\n"
         "/run/linkrunnerd/intake.sock, /run/linkrunnerd/control.sock: for services, and for linkrunnerctl."},
        {"Configuration", keys_text()}};
    out.see_also = {"linkrunnerctl(1)", "linkrunner-sandbox(1)"};
    return out;
}

} // namespace linkrunner::daemon
