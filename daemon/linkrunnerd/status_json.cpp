#include "status_json.hpp"

#include "base/utc_text.hpp"
#include "control/advice.hpp"

#include <boost/json.hpp>

#include <algorithm>
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

json::object in_words(std::string_view code, std::string_view detail) {
    const control::advice found = control::advice_for(code);
    return {
        {"code", found.code}, {"words", found.words}, {"what_to_do", found.what_to_do}, {"detail", detail}};
}

// The worst first: while events are refused, that.
json::array states(const status_facts& facts, const delivery::scheduler::view& view) {
    json::array out;
    if (facts.spool.refusing != spool::refusal::none) {
        out.push_back(in_words(spool::word_for(facts.spool.refusing), facts.spool.detail));
    }
    out.push_back(in_words(delivery::word_for(view.state), view.reason));
    return out;
}

double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

json::object throughput(const control::history::recent& last) {
    return {{"over_seconds", rounded(last.seconds)},
            {"accepted_per_second", rounded(last.accepted)},
            {"delivered_per_second", rounded(last.delivered)},
            {"attempts_per_second", rounded(last.attempts)}};
}

json::object delivery_age(const control::history::recent& last) {
    const auto percentile = [&](double share) {
        const auto seconds = last.ages.percentile(share);
        return seconds ? json::value(std::round(*seconds * 1e6) / 1e6) : json::value(nullptr);
    };
    return {{"over_seconds", 60},
            {"events", last.ages.count()},
            {"p50_seconds", percentile(0.50)},
            {"p95_seconds", percentile(0.95)},
            {"p99_seconds", percentile(0.99)}};
}

json::object since_start(const telemetry::metrics& metrics) {
    const auto sums = metrics.sums();
    json::object attempts;
    for (const auto& [outcome, count] : metrics.attempts_by_outcome()) {
        attempts[outcome] = count;
    }
    return {{"accepted", sums.accepted},
            {"duplicates", sums.duplicates},
            {"refused", sums.rejected},
            {"delivered", sums.delivered},
            {"dead", sums.dead},
            {"attempts", std::move(attempts)},
            {"attempts_ambiguous", sums.ambiguous}};
}

json::object configuration(const configuration_state& loaded, wall_time now) {
    json::array problems;
    for (const config::problem& each : loaded.problems) {
        problems.push_back(json::string(each.where + ": " + each.message));
    }
    json::array waiting;
    for (const std::string& key : loaded.restart_needed) {
        waiting.push_back(json::string(key));
    }
    return {{"loaded_seconds_ago", age_seconds(loaded.loaded_at, now)},
            {"reload_success", loaded.problems.empty()},
            {"problems", std::move(problems)},
            {"restart_needed", std::move(waiting)}};
}

json::value last_success_ago(double unix_seconds, wall_time now) {
    if (unix_seconds <= 0) {
        return nullptr;
    }
    const std::chrono::duration<double> since_epoch = now.time_since_epoch();
    return rounded(std::max(0.0, since_epoch.count() - unix_seconds));
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
    const control::history::recent last = facts.history.last();
    const json::object out{
        {"schema", 1},
        {"version", LINKRUNNER_VERSION},
        {"time", utc_text(facts.now)},
        {"uptime_seconds", facts.uptime.count()},
        {"ready", !facts.not_ready.has_value()},
        {"not_ready_reason", not_ready},
        {"states", states(facts, view)},
        {"throughput", throughput(last)},
        {"delivery_age", delivery_age(last)},
        {"since_start", since_start(facts.metrics)},
        {"upstream", json::object{{"kind", facts.configuration.upstream.kind},
                                  {"url", facts.configuration.upstream.url},
                                  {"state", delivery::word_for(view.state)},
                                  {"reason", view.reason},
                                  {"next_change_in_seconds", seconds_until(view.until, facts.steady_now)},
                                  {"rate_per_second", view.rate_per_second},
                                  {"rate_ceiling_per_second", ceiling},
                                  {"in_flight", view.in_flight},
                                  {"blocked_users", view.blocked_users},
                                  {"connections", facts.upstream_connections},
                                  {"last_success_seconds_ago",
                                   last_success_ago(facts.metrics.sums().last_success, facts.now)},
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
        {"configuration", configuration(facts.loaded, facts.now)},
    };
    return json::serialize(out) + "\n";
}

} // namespace linkrunner::daemon
