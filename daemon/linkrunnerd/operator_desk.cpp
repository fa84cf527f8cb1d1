#include "operator_desk.hpp"

#include "base/duration.hpp"
#include "base/utc_text.hpp"

#include <boost/json.hpp>

#include <unistd.h>

namespace linkrunner::daemon {

namespace {

namespace json = boost::json;

json::object sums(const recent_sums::totals& all) {
    return {{"accepted", all.accepted}, {"duplicates", all.duplicates},
            {"refused", all.rejected},  {"delivered", all.delivered},
            {"dead", all.dead},         {"attempts", all.attempts}};
}

json::object key_state(const secret_watch& key, bool refused) {
    json::value changed = nullptr;
    if (key.changed_at()) {
        changed = json::string(utc_text(*key.changed_at()));
    }
    return {{"source", key.path().empty() ? "environment" : "file"},
            {"file", key.path()},
            {"refused", refused},
            {"changed_at", changed},
            {"problem", key.problem()}};
}

} // namespace

std::string operator_desk::status() const {
    const auto view = parts_.forwarder.view();
    json::array listeners;
    for (const std::string& each : parts_.listeners()) {
        listeners.push_back(json::string(each));
    }
    json::value limit = nullptr;
    if (const auto given = parts_.forwarder.rate_limit()) {
        limit = *given;
    }
    const json::object more{
        {"pid", ::getpid()},
        {"listeners", listeners},
        {"paused", paused()},
        {"draining", draining_},
        {"followers", parts_.stories.followers()},
        {"temporary_rate_per_second", limit},
        {"last_10_seconds", sums(parts_.recent.within(10))},
        {"last_minute", sums(parts_.recent.within(60))},
        {"since_start", sums(parts_.recent.now())},
        {"key", key_state(parts_.key, view.state == delivery::upstream_state::held_unauthorized)}};
    std::string daemon = parts_.status();
    while (daemon.ends_with('\n')) {
        daemon.pop_back();
    }
    std::string out = json::serialize(more);
    out.pop_back();
    return out + ",\"daemon\":" + daemon + "}";
}

void operator_desk::drain(bool draining) {
    draining_ = draining;
    if (stopping_) {
        return;
    }
    parts_.intake.drain(draining);
    parts_.forwarder.show_draining(draining);
}

control::rate_view operator_desk::rate() const {
    return {parts_.forwarder.view().rate_per_second, parts_.settings.delivery.rate_per_second,
            parts_.forwarder.rate_limit()};
}

std::string operator_desk::waits_for(std::uint64_t number, std::uint8_t lane,
                                     std::optional<wall_time> next_attempt) const {
    if (parts_.forwarder.is_in_flight(number)) {
        return "the answer of the API: an attempt is under way";
    }
    const auto view = parts_.forwarder.view();
    const std::string reason = view.reason.empty() ? "" : " (" + view.reason + ")";
    if (view.state == delivery::upstream_state::paused) {
        return "an operator, who paused delivery: linkrunnerctl resume";
    }
    if (view.state != delivery::upstream_state::healthy && view.state != delivery::upstream_state::draining) {
        return std::string("the end of the state ") + delivery::word_for(view.state) + reason;
    }
    if (next_attempt && *next_attempt > parts_.time.wall()) {
        return "its next attempt, in " + format_duration(*next_attempt - parts_.time.wall());
    }
    const auto& lanes = parts_.settings.delivery.lanes;
    const std::string name = lane < lanes.size() ? lanes[lane].name : std::to_string(lane);
    const auto pending = parts_.queue.status().pending_by_lane.at(lane);
    const auto forecast = parts_.forwarder.forecast(lane);
    return "its turn, in the order of its user: " + std::to_string(pending) + " events wait in lane " + name +
           (forecast ? ", delivered within " + format_duration(*forecast) : std::string());
}

result<std::string> operator_desk::reload() {
    parts_.reload();
    return std::string("\"done\":\"the files of secrets were looked at, and what is held is probed\"");
}

} // namespace linkrunner::daemon
