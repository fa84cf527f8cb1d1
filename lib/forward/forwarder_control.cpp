// What an operator changes about delivery while it goes on.
#include "forward/forwarder.hpp"

#include <utility>

namespace linkrunner::forward {

void forwarder::change(const settings& options) {
    options_.delivery.rate_per_second = options.delivery.rate_per_second;
    options_.max_age_of = options.max_age_of;
    scheduler_->change(options.delivery, ports_.time.steady());
    if (rate_limit_) { // an operator's stands until it is given back
        scheduler_->set_ceiling(rate_limit_, ports_.time.steady());
    }
    pump();
}

void forwarder::replayed(const std::vector<std::pair<std::uint8_t, spool::sequence>>& lanes_and_numbers) {
    for (const auto& [lane, number] : lanes_and_numbers) {
        if (lane < options_.delivery.lanes.size()) {
            scheduler_->replayed(lane, number);
        }
    }
    pump();
}

void forwarder::set_secret(std::string secret) {
    former_secret_ = std::exchange(secret_, std::move(secret));
    scheduler_->key_changed(ports_.time.steady());
    pump();
}

void forwarder::probe_holds() {
    scheduler_->probe_holds(ports_.time.steady());
    pump();
}

void forwarder::pause(bool paused) {
    paused_ = paused;
    scheduler_->pause(paused);
    pump();
}

void forwarder::limit_rate(std::optional<double> per_second) {
    rate_limit_ = per_second;
    scheduler_->set_ceiling(per_second ? per_second : options_.delivery.rate_per_second,
                            ports_.time.steady());
    pump();
}

void forwarder::show_draining(bool draining) {
    scheduler_->drain(draining);
    pump();
}

} // namespace linkrunner::forward
