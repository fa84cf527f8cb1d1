#include "program.hpp"

namespace linkrunner::ctl {

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
    return program;
}

} // namespace linkrunner::ctl
