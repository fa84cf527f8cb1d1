// `linkrunnerd --repair <new directory>`: a clean copy of what can be read of a spool that is not in use.
#pragma once

#include "config/load.hpp"

#include <string>

namespace linkrunner::daemon {

// The exit code: 0 when the copy is made, whatever had to be left behind; 74 when it could not be made; 75
// when the spool is in use. The spool itself is not changed.
int repair(const config::loaded& configuration, const std::string& into);

} // namespace linkrunner::daemon
