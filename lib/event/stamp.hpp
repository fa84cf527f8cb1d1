// The intake time in an event's data (`events.stamp`), for an API that has no timestamp. Private to this
// folder.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace linkrunner::event {

// "2026-11-23T16:00:09.709Z": RFC 3339, UTC, milliseconds.
std::string rfc3339(std::chrono::sys_time<std::chrono::milliseconds> when);

// The event with event_data.<key> set to `value`, in front of what is there; as it came where the caller sent
// that key. `object` is an event that has passed all checks.
std::string with_stamp(std::string object, std::string_view key, std::string_view value);

} // namespace linkrunner::event
