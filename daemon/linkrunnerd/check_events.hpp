// --check-events: what would happen to each event of a file under a configuration, without a daemon.
#pragma once

#include "config/load.hpp"

#include <string>

namespace linkrunner::daemon {

// Reads NDJSON (or one JSON array) from `file`, "-" for standard input; reports on standard output, as text
// or as one JSON object. Returns 0 when every event would be taken, 1 when some would be refused, 2 when the
// file cannot be read.
int check_events(const config::loaded& configuration, const std::string& file, bool as_json);

} // namespace linkrunner::daemon
