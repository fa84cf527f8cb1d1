// `linkrunnerd --health`: asks the running daemon's /healthz, for container health checks without a shell.
#pragma once

#include "config/settings.hpp"

namespace linkrunner::daemon {

// The exit code: 0 healthy, 1 not; the reason goes to standard error.
int check_health(const config::settings& settings);

} // namespace linkrunner::daemon
