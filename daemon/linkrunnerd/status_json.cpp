#include "status_json.hpp"

#include <boost/json.hpp>

#include <cmath>

namespace linkrunner::daemon {

namespace {

namespace json = boost::json;

json::value seconds_until(std::optional<steady_time> when, steady_time now) {
    if (!when) {
        return nullptr;
    }
    return std::round(std::chrono::duration<double>(*when - now).count() * 10) / 10;
}

json::value age_seconds(wall_time then, wall_time now) {
    if (then == wall_time{}) {
        return nullptr;
    }
    return std::chrono::duration<double>(now - then).count();
}

json::object ledger(const spool::ledger& events) {
    return {{"accepted", events.accepted}, {"delivered", events.delivered}, {"handed_off", events.handed_off},
            {"dead", events.dead},         {"dropped", events.dropped},     {"lost", events.lost},
            {"pending", events.pending}};
}

json::array lanes(const status_facts& facts) {
    json::array out;
    for (std::size_t lane = 0; lane < facts.configuration.delivery.lanes.size(); ++lane) {
        const auto forecast = facts.forwarder.forecast(static_cast<std::uint8_t>(lane));
        json::value seconds = nullptr;
        if (forecast) {
            seconds = static_cast<double>(forecast->count()) / 1000.0;
        }
        out.push_back(json::object{{"name", facts.configuration.delivery.lanes[lane].name},
                                   {"pending", facts.spool.pending_by_lane[lane]},
                                   {"forecast_seconds", seconds}});
    }
    return out;
}

json::value last_error(const std::optional<forward::last_error>& failure, wall_time now) {
    if (!failure) {
        return nullptr;
    }
    return json::object{{"seconds_ago", age_seconds(failure->at, now)}, {"what", failure->what}};
}

} // namespace

std::string status_json(const status_facts& facts) {
    const auto view = facts.forwarder.view();
    json::value not_ready = nullptr;
    if (facts.not_ready) {
        not_ready = json::string(*facts.not_ready);
    }
    const json::value ceiling =
        view.ceiling_per_second ? json::value(*view.ceiling_per_second) : json::value(nullptr);
    const json::object out{
        {"version", LINKRUNNER_VERSION},
        {"uptime_seconds", facts.uptime.count()},
        {"ready", !facts.not_ready.has_value()},
        {"not_ready_reason", not_ready},
        {"upstream", json::object{{"url", facts.configuration.upstream.url},
                                  {"state", delivery::word_for(view.state)},
                                  {"reason", view.reason},
                                  {"next_change_in_seconds", seconds_until(view.until, facts.steady_now)},
                                  {"rate_per_second", view.rate_per_second},
                                  {"rate_ceiling_per_second", ceiling},
                                  {"in_flight", view.in_flight},
                                  {"blocked_users", view.blocked_users},
                                  {"connections", facts.upstream_connections},
                                  {"last_error", last_error(facts.forwarder.error(), facts.now)}}},
        {"lanes", lanes(facts)},
        {"ledger", ledger(facts.spool.events)},
        {"spool", json::object{{"directory", facts.configuration.spool.directory},
                               {"refusing", spool::word_for(facts.spool.refusing)},
                               {"detail", facts.spool.detail},
                               {"bytes", facts.spool.bytes},
                               {"limit_bytes", facts.spool.limit_bytes},
                               {"oldest_pending_seconds", age_seconds(facts.spool.oldest_pending, facts.now)},
                               {"commits", facts.spool.commits}}},
        {"intake", json::object{{"connections", facts.intake_connections}}},
    };
    return json::serialize(out) + "\n";
}

} // namespace linkrunner::daemon
