// What an inspection of the spool found, in words for an operator.
#pragma once

#include "config/settings.hpp"
#include "spool/inspection.hpp"

#include <string>

namespace linkrunner::daemon {

// Every segment, the pending of each lane, the ledger, notes.
std::string describe(const spool::inspection& found, const config::settings& settings);

// "accepted 7 = delivered 5 + handed off 0 + dead 1 + dropped 0 + lost 0 + pending 1", or with "!=".
std::string describe(const spool::ledger& events);

// "<file>, offset 8192, 312 bytes: event 7 is damaged"
std::string describe(const spool::damage& place);

} // namespace linkrunner::daemon
