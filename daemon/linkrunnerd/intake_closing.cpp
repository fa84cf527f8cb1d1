#include "intake_closing.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::daemon {

void intake_closing::begin(steady_time now, steady_time end, std::function<void()> closed) {
    if (!inherited_) {
        intake_.drain();
        server_.stop(std::move(closed));
        return;
    }
    closed_ = std::move(closed);
    intake_.stop_waiting();
    server_.wind_down();
    loop_.call_at(now + grace, [this] {
        grace_over_ = true;
        stop_if_time();
    });
    loop_.call_at(std::max(now + grace, end), [this] { deliveries_ended(); });
}

void intake_closing::deliveries_ended() {
    deliveries_ended_ = true;
    stop_if_time();
}

void intake_closing::stop_if_time() {
    if (closed_ && deliveries_ended_ && (grace_over_ || server_.connections() == 0)) {
        server_.stop(std::exchange(closed_, {}), grace);
    }
}

} // namespace linkrunner::daemon
