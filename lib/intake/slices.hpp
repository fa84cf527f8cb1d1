// Long work on the loop's thread, cut into slices of about half a millisecond (settings.hpp, `slice`).
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"

#include <functional>

namespace linkrunner::intake {

// Calls `step` until it answers false, then `done`; the first slice runs before this returns, the others are
// posted. What the functions capture lives until then. `owner` and `time` must outlive the work.
void in_slices(loop& owner, const clock& time, std::function<bool()> step, std::function<void()> done);

} // namespace linkrunner::intake
