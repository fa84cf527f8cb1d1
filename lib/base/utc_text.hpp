// A time as people and programs both read it: RFC 3339, in UTC, "2026-11-23T15:00:00.000Z".
#pragma once

#include <chrono>
#include <string>

namespace linkrunner {

std::string utc_text(std::chrono::sys_time<std::chrono::milliseconds> when);

} // namespace linkrunner
