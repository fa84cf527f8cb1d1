#include "service_reports.hpp"

#include <utility>

namespace linkrunner::daemon {

void service_reports::status(std::string line) {
    if (line != told_) {
        told_ = std::move(line);
        manager_.status(told_);
    }
}

// At half of the interval, as sd_watchdog_enabled(3) recommends.
void service_reports::feed() {
    if (watchdog_) {
        manager_.watchdog();
        loop_.call_at(clock_.steady() + *watchdog_ / 2, [this] { feed(); });
    }
}

} // namespace linkrunner::daemon
