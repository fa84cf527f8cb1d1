// What the forwarder tells of single events, to those who follow them.
#include "forward/forwarder.hpp"
#include "forward/item.hpp"
#include "telemetry/log.hpp"

namespace linkrunner::forward {

bool forwarder::is_in_flight(spool::sequence number) const {
    const auto found = items_.find(number);
    return found != items_.end() && found->second->in_flight;
}

void forwarder::tell(const item& tried, const telemetry::attempt_view& how, const delivery::verdict& verdict,
                     bool filtered) {
    const telemetry::event_view event = event_view_of(tried.event);
    switch (verdict.kind) {
    case delivery::verdict_kind::delivered:
        ports_.activity->succeeded(event, how,
                                   filtered                ? "dropped"
                                   : options_.to_forwarder ? "handed_off"
                                                           : "delivered");
        break;
    case delivery::verdict_kind::dead:
        ports_.activity->dead(event, verdict.reason, &how);
        break;
    case delivery::verdict_kind::retry: {
        std::optional<std::chrono::milliseconds> next_in;
        if (verdict.retry_at) {
            next_in = std::chrono::ceil<std::chrono::milliseconds>(*verdict.retry_at - ports_.time.steady());
        }
        ports_.activity->failed(event, how, next_in);
        break;
    }
    }
}

void forwarder::log_attempt(const item& tried, const delivery::attempt_end& facts,
                            const net::answer& how) const {
    if (!log::enabled(log::level::debug)) {
        return;
    }
    const delivery::outcome outcome = delivery::classify(facts);
    const bool well = outcome == delivery::outcome::delivered;
    log::debug("attempt ended",
               {{"event_id", tried.event.event_id},
                {"lane", options_.delivery.lanes.at(tried.event.lane).name},
                {"attempt", tried.attempt},
                {"outcome", delivery::word_for(outcome)},
                {"status", facts.status},
                {"ambiguous", delivery::is_ambiguous(facts)},
                {"duration_ms", std::chrono::duration<double, std::milli>(how.duration).count()},
                log::field::if_any("answer", well ? std::string_view() : tried.excerpt),
                log::field::if_any("trace_id", trace_of(tried.event.number))});
}

} // namespace linkrunner::forward
