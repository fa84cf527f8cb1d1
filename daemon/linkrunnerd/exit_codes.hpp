// How linkrunnerd ends; sysexits.h numbers, named in docs/operating.md.
#pragma once

namespace linkrunner::daemon {

inline constexpr int exit_clean = 0;
inline constexpr int exit_failed = 1; // --health: not healthy
inline constexpr int exit_usage = 2;
inline constexpr int exit_bug = 70;           // EX_SOFTWARE
inline constexpr int exit_spool = 74;         // EX_IOERR
inline constexpr int exit_spool_in_use = 75;  // EX_TEMPFAIL: may be otherwise at the next try
inline constexpr int exit_address = 75;       // of a listener: in use, or not there yet
inline constexpr int exit_configuration = 78; // EX_CONFIG

} // namespace linkrunner::daemon
