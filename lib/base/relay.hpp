// What two linkrunnerd say to each other when one hands events to the other (upstream.kind: forwarder,
// shutdown.handoff), beside what every client of the intake says. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace linkrunner {

// The request header that names the spool which the events come from.
inline constexpr const char* spool_header = "Linkrunnerd-Spool";

// The name of a spool, 16 hexadecimal digits: the same over its life, and another one for each. Does not give
// its hash seed away.
std::string spool_name(std::uint64_t hash_seed);

} // namespace linkrunner
