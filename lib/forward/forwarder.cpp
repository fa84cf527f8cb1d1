#include "forward/item.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::forward {

forwarder::forwarder(settings options, std::string secret, ports with)
    : options_(std::move(options)), secret_(std::move(secret)), ports_(with),
      scheduler_(delivery::scheduler::make(
          options_.delivery, [this] { return ports_.random.uniform(); }, with.time.steady())) {}

forwarder::~forwarder() {
    stop();
}

void forwarder::start() {
    started_ = true;
    ports_.queue.on_stored([this](std::uint32_t lanes) {
        for (std::uint8_t lane = 0; lane < options_.delivery.lanes.size(); ++lane) {
            if ((lanes >> lane & 1) != 0) {
                scheduler_->stored(lane);
            }
        }
        pump();
    });
    ports_.queue.on_drop(
        {[this](spool::sequence first, spool::sequence last) { return hold_back(first, last); },
         [this](spool::sequence first, spool::sequence last, const std::vector<spool::sequence>& gone) {
             let_go(first, last, gone);
         }});
    pump();
}

void forwarder::drain(steady_time no_more_after, std::function<void()> idle) {
    idle_ = std::move(idle);
    drain_end_ = no_more_after;
    scheduler_->drain();
    ports_.owner.call_at(no_more_after, [this] {
        stop();
        check_drained();
    });
    pump();
}

void forwarder::stop() {
    if (stopped_) {
        return;
    }
    stopped_ = true;
    if (started_) {
        ports_.queue.on_stored({});
        ports_.queue.on_drop({});
    }
    if (timer_ != 0) {
        ports_.owner.cancel(std::exchange(timer_, 0));
    }
}

void forwarder::pump() {
    if (stopped_) {
        return;
    }
    read_more();
    const steady_time now = ports_.time.steady();
    const wall_time wall = ports_.time.wall();
    while (const auto what = scheduler_->next(now, wall)) {
        begin(*what);
    }
    dismiss();
    arm();
    tell_state();
    check_drained();
}

void forwarder::arm() {
    const steady_time when = scheduler_->wake_at(ports_.time.steady());
    if (timer_ != 0 && timer_at_ == when) {
        return;
    }
    if (timer_ != 0) {
        ports_.owner.cancel(std::exchange(timer_, 0));
    }
    if (when == steady_time::max()) {
        return;
    }
    timer_at_ = when;
    timer_ = ports_.owner.call_at(when, [this] {
        timer_ = 0;
        pump();
    });
}

void forwarder::tell_state() {
    const delivery::scheduler::view now = view();
    if (now.state == told_) {
        return;
    }
    const bool well =
        now.state == delivery::upstream_state::healthy || now.state == delivery::upstream_state::draining;
    log::write(
        well ? log::level::info : log::level::warning, "upstream state changed",
        {{"from", delivery::word_for(told_)}, {"to", delivery::word_for(now.state)}, {"reason", now.reason}});
    told_ = now.state;
    ports_.metrics.set_upstream_state(delivery::word_for(now.state));
}

void forwarder::check_drained() {
    if (!idle_ || in_flight_ != 0) {
        return;
    }
    const bool nothing_waits = ports_.queue.status().events.pending == 0;
    const bool too_late = scheduler_->wake_at(ports_.time.steady()) > drain_end_ &&
                          std::ranges::none_of(reading_, std::identity{});
    if (stopped_ || nothing_waits || too_late) {
        stop();
        ports_.owner.post(std::exchange(idle_, {}));
    }
}

delivery::scheduler::view forwarder::view() const {
    return scheduler_->look(ports_.time.steady());
}

std::optional<std::chrono::milliseconds> forwarder::forecast(std::uint8_t lane) const {
    const spool::status& status = ports_.queue.status();
    const std::vector<std::uint64_t> pending(status.pending_by_lane.begin(),
                                             status.pending_by_lane.begin() +
                                                 static_cast<std::ptrdiff_t>(options_.delivery.lanes.size()));
    return scheduler_->forecast(lane, pending, ports_.time.steady());
}

} // namespace linkrunner::forward
