// Kinds of time and numbers in this room. Rules never read a clock: they are handed the time.
// steady_time paces, backs off and pauses; wall_time dates events and measures their age.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace linkrunner::delivery {

using steady_time = std::chrono::steady_clock::time_point;
using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;
using std::chrono::nanoseconds;
using sequence = std::uint64_t;                 // accept number of an event
using random_numbers = std::function<double()>; // uniform in [0, 1)

} // namespace linkrunner::delivery
