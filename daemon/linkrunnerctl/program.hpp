// The command line of linkrunnerctl: all commands and flags. --help, the manual page and the shell completion
// are made from it.
#pragma once

#include "tool.hpp"

#include <memory>

namespace linkrunner::ctl {

// `with` must outlive it.
std::unique_ptr<CLI::App> make_program(tool& with);

} // namespace linkrunner::ctl
