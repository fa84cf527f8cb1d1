#include "instruments.hpp"

#include "telemetry/log.hpp"

#include <limits>
#include <utility>

namespace linkrunner::daemon {

namespace {

std::vector<std::string> names_of(const std::vector<config::lane_section>& lanes) {
    std::vector<std::string> out;
    for (const config::lane_section& lane : lanes) {
        out.push_back(lane.name);
    }
    return out;
}

} // namespace

instruments::instruments(const std::vector<config::lane_section>& lanes, const spool::queue& queue,
                         const forward::forwarder& forwarder, const clock& time, telemetry::metrics& metrics)
    : lanes_(names_of(lanes)), queue_(queue), forwarder_(forwarder), clock_(time), metrics_(metrics),
      history_(lanes_) {}

double instruments::oldest_pending_age() const {
    const wall_time oldest = queue_.status().oldest_pending;
    return oldest == wall_time{} ? 0 : std::chrono::duration<double>(clock_.wall() - oldest).count();
}

void instruments::publish_gauges() {
    const spool::status& spool = queue_.status();
    const auto view = forwarder_.view();
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
        metrics_.set_pending(lanes_[lane], spool.pending_by_lane[lane]);
    }
    metrics_.set_ledger("accepted", spool.events.accepted);
    metrics_.set_ledger("delivered", spool.events.delivered);
    metrics_.set_ledger("handed_off", spool.events.handed_off);
    metrics_.set_ledger("dead", spool.events.dead);
    metrics_.set_ledger("dropped", spool.events.dropped);
    metrics_.set_ledger("lost", spool.events.lost);
    metrics_.set_ledger("pending", spool.events.pending);
    metrics_.set_lost(spool.events.lost);
    for (std::size_t why = 0; why < spool.dropped.size(); ++why) {
        const std::uint64_t before = std::exchange(counted_drops_[why], spool.dropped[why]);
        if (spool.dropped[why] > before) {
            metrics_.dropped(word_for(static_cast<spool::drop_reason>(why)), spool.dropped[why] - before);
        }
    }
    metrics_.set_rate(view.rate_per_second);
    metrics_.set_upstream_state(delivery::word_for(view.state));
    metrics_.set_spool_bytes(spool.bytes, spool.limit_bytes);
    metrics_.set_oldest_pending_age(oldest_pending_age());
    const auto forecast = forwarder_.forecast(static_cast<std::uint8_t>(lanes_.size() - 1));
    metrics_.set_drain_forecast(forecast ? static_cast<double>(forecast->count()) / 1000.0
                                         : std::numeric_limits<double>::quiet_NaN());
}

void instruments::take_sample() {
    const auto view = forwarder_.view();
    control::sample now;
    now.at = clock_.steady();
    now.wall = clock_.wall();
    now.sums = metrics_.sums();
    now.rate_limit = view.rate_per_second;
    now.oldest_pending_age = oldest_pending_age();
    now.state = delivery::word_for(view.state);
    now.pending = queue_.status().pending_by_lane;
    history_.add(now, [this] { return metrics_.take_ages(); });
}

void instruments::write_summary() {
    const auto now = metrics_.sums();
    const bool anything = now.accepted != told_.accepted || now.attempts != told_.attempts ||
                          now.rejected != told_.rejected || now.duplicates != told_.duplicates;
    if (anything) {
        const auto view = forwarder_.view();
        log::info("last minute", {{"accepted", now.accepted - told_.accepted},
                                  {"duplicates", now.duplicates - told_.duplicates},
                                  {"rejected", now.rejected - told_.rejected},
                                  {"delivered", now.delivered - told_.delivered},
                                  {"dead", now.dead - told_.dead},
                                  {"attempts", now.attempts - told_.attempts},
                                  {"pending", queue_.status().events.pending},
                                  {"upstream", delivery::word_for(view.state)},
                                  {"rate", view.rate_per_second}});
    }
    told_ = now;
}

} // namespace linkrunner::daemon
