// What the manual page of linkrunnerd says beyond its command line.
#pragma once

#include "cli/manual.hpp"

namespace linkrunner::daemon {

cli::manual_text manual();

} // namespace linkrunner::daemon
