// A dead letter as JSON, for lists, for a look at one, and as a line of an export.
#pragma once

#include "spool/dead_letters.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::control {

// Appends {"number": 7, "event_id": ..., ...}; `body`, as it is sent, where the letter came with it. `lanes`:
// their names.
void append_letter(std::string& out, const spool::dead_event& one, const std::vector<std::string>& lanes);

} // namespace linkrunner::control
