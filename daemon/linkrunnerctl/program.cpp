#include "program.hpp"

#include "cli/manual.hpp"

namespace linkrunner::ctl {

namespace {

cli::manual_text manual() {
    cli::manual_text out;
    out.summary = "see what linkrunnerd does, and change it";
    out.description =
        "When something is wrong, begin with linkrunnerctl status; it ends with what to do.\n\n"
        "The file permissions of the control socket are its only lock (control.unix_mode and "
        "control.unix_group "
        "of the daemon). Every change is written to the daemon's log, with the process, user and group that "
        "asked "
        "for it. In lists, control characters are shown as a question mark; --json has them as they are.";
    out.sections = {
        {"Exit status",
         "0: done. 1: refused or failed; the message says why. 2: wrong command line. 69: the daemon "
         "cannot be reached."},
        {"Files",
         "/run/linkrunnerd/control.sock: the control socket, unless control.listen says otherwise.\n\n"
         "/run/linkrunnerd/intake.sock: where send sends to, unless --intake says otherwise; 127.0.0.1:7417 "
         "where there is no such socket.\n\n"
         "FILE.sent, FILE.rejected: how far send has come with FILE, and the lines that were refused, with "
         "the reasons. An interrupted send goes on where it stopped when it is called again."},
        {"Examples",
         "What is stuck, and why:\n\n  linkrunnerctl status\n  linkrunnerctl queue list --older-than 10m\n"
         "  linkrunnerctl explain order-8471\n\n"
         "What the API refused; once the reason has gone, again:\n\n"
         "  linkrunnerctl dead list --reason rejected\n  linkrunnerctl dead replay --reason rejected\n\n"
         "Before a host is taken down:\n\n  linkrunnerctl drain --wait --timeout 15m\n\n"
         "Events from a file:\n\n  linkrunnerctl send events.ndjson.gz"}};
    out.see_also = {"linkrunnerd(8)", "linkrunner-sandbox(1)"};
    return out;
}

} // namespace

std::unique_ptr<CLI::App> make_program(tool& with) {
    auto program = std::make_unique<CLI::App>(
        "Shows what a running linkrunnerd does, and changes it, over its control socket.", "linkrunnerctl");
    program->fallthrough(); // global flags may stand after the command, too
    program->require_subcommand(1);
    program->add_option("--socket", with.socket, "the daemon's control socket (its control.listen)")
        ->envname("LINKRUNNERCTL_SOCKET")
        ->type_name("PATH")
        ->capture_default_str();
    program->add_flag("--json", with.json, "print the daemon's answer as JSON");
    program->footer("Exit codes: 0 done, 1 refused or failed, 2 wrong command line, 69 the daemon cannot be "
                    "reached.\nlinkrunnerctl COMMAND --help says more about one of them.");
    declare_status(*program, with);
    declare_top(*program, with);
    declare_follow(*program, with);
    declare_queue(*program, with);
    declare_dead(*program, with);
    declare_steering(*program, with);
    declare_send(*program, with);
    cli::add_printing(*program, manual());
    return program;
}

} // namespace linkrunner::ctl
