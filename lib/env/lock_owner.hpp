// What a lock file says about its owner: process id, start of the ownership and host, a line each. A courtesy
// to whoever finds the file locked; nothing depends on it.
#pragma once

#include <string>
#include <string_view>

namespace linkrunner {

// Of this process, now.
std::string describe_lock_owner();

// "process 4711 on web-1 since 2026-01-31 12:00:00 UTC", or "another process" where the text says nothing, or
// speaks of a process of this host that is no more (the lock is then held by one that wrote nothing).
std::string read_lock_owner(std::string_view text);

} // namespace linkrunner
