// status, version, audit.
#include "ctl/fields.hpp"
#include "ctl/lists_view.hpp"
#include "ctl/status_view.hpp"
#include "tool.hpp"

namespace linkrunner::ctl {

namespace {

int show_status(const tool& with) {
    session daemon = with.connect();
    const auto status = daemon.get("/v1/status");
    if (with.json) {
        print(daemon.raw() + "\n");
        return exit_done;
    }
    std::string out;
    for (const std::string& line : status_lines(status, output_width())) {
        out += line + "\n";
    }
    print(out);
    return exit_done;
}

int show_version(const tool& with) {
    const std::string own = "linkrunnerctl " LINKRUNNER_VERSION "\n";
    if (!with.json) {
        print(own); // also where the daemon cannot be reached
    }
    session daemon = with.connect();
    const std::string version = text_at(daemon.get("/v1/status"), "/daemon/version");
    print(with.json ? "{\"linkrunnerctl\":\"" LINKRUNNER_VERSION "\",\"linkrunnerd\":\"" + version + "\"}\n"
                    : "linkrunnerd " + version + "\n");
    return exit_done;
}

int audit(const tool& with) {
    session daemon = with.connect();
    const auto report = daemon.get("/v1/audit");
    print(with.json ? daemon.raw() + "\n" : audit_text(report));
    return flag_at(report, "/holds") ? exit_done : exit_failed;
}

} // namespace

void declare_status(CLI::App& program, tool& with) {
    add_command(program, with, "status", "what it does, what is stuck and why, on one screen",
                [&with] { return show_status(with); });
    add_command(program, with, "version", "the versions of this tool and of the daemon",
                [&with] { return show_version(with); });
    add_command(program, with, "audit",
                "recount the ledger from the files of the spool; exit 1 when it does not hold",
                [&with] { return audit(with); });
}

} // namespace linkrunner::ctl
