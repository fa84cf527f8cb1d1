#include "intake/slices.hpp"

#include "intake/settings.hpp"

#include <utility>

namespace linkrunner::intake {

void in_slices(loop& owner, const clock& time, std::function<bool()> step, std::function<void()> done) {
    const steady_time end = time.steady() + slice;
    do {
        if (!step()) {
            done();
            return;
        }
    } while (time.steady() < end);
    owner.post([&owner, &time, step = std::move(step), done = std::move(done)]() mutable {
        in_slices(owner, time, std::move(step), std::move(done));
    });
}

} // namespace linkrunner::intake
