// `linkrunnerd --check`: whether a start would succeed, without changing anything.
#pragma once

#include "config/load.hpp"

namespace linkrunner::daemon {

// The exit code: 0, 74 (spool unusable) or 75 (spool in use); what was found goes to standard output and
// error. The configuration itself has been checked by its loading.
int check(const config::loaded& configuration);

} // namespace linkrunner::daemon
