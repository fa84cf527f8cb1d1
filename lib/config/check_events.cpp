#include "config/check.hpp"
#include "config/key.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace linkrunner::config {
namespace {

// Members of the event that a redaction must not take; a user's may be hashed.
bool is_kept(const std::string& pointer, const std::string& action) {
    static const std::set<std::string> kept = {"/event_name", "/event_id", "/event_data"};
    static const std::set<std::string> users = {"/user_id", "/install_instance_id"};
    return kept.contains(pointer) || (users.contains(pointer) && action != "hash");
}

void check_count(assembly& all, std::string_view name, std::size_t count) {
    if (count > most_event_rules) {
        all.complain(name,
                     std::to_string(count) + " are too many; at most " + std::to_string(most_event_rules));
    }
}

void check_redactions(assembly& all) {
    const events_section& events = all.values.events;
    check_count(all, "events.redact", events.redact.size());
    bool hashes = false;
    for (std::size_t i = 0; i < events.redact.size(); ++i) {
        const redact_section& each = events.redact[i];
        const std::string which = "number " + std::to_string(i + 1) + ": ";
        hashes = hashes || each.action == "hash";
        if (each.key.empty() == each.pointer.empty()) {
            all.complain("events.redact", which + "give either a key or a pointer");
        } else if (!each.pointer.empty() && !each.pointer.starts_with('/')) {
            all.complain("events.redact", which + quote(each.pointer) +
                                              " is no JSON pointer; it begins with /, for example "
                                              "/event_data/email");
        } else if (is_kept(each.pointer, each.action)) {
            all.complain("events.redact", which + "an event is none without its " + each.pointer.substr(1) +
                                              (each.pointer.ends_with("_id") && each.pointer != "/event_id"
                                                   ? "; it can be hashed (action: hash)"
                                                   : ""));
        }
    }
    if (hashes && events.redact_key_file.empty()) {
        all.complain("events.redact", "action hash needs events.redact_key_file, a file with a secret");
    }
}

void check_additions(assembly& all) {
    const events_section& events = all.values.events;
    check_count(all, "events.add", events.add.size());
    std::set<std::string> seen;
    const auto take = [&](std::string_view name, const std::string& key) {
        if (!key.empty() && !seen.insert(key).second) {
            all.complain(name, "the key " + quote(key) + " is added twice");
        }
    };
    for (const add_section& each : events.add) {
        if (each.key.empty()) {
            all.complain("events.add", "an addition without a key");
        } else if (each.names.empty()) {
            take("events.add", each.key);
        }
    }
    take("events.stamp", events.stamp);
    take("events.host", events.host);
}

void check_rules(assembly& all) {
    const std::vector<rule_section>& rules = all.values.events.rules;
    check_count(all, "events.rules", rules.size());
    const auto& lanes = all.values.delivery.lanes;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string which = "number " + std::to_string(i + 1) + ": ";
        if (rules[i].names.empty()) {
            all.complain("events.rules", which + "give names, patterns on event_name");
        }
        const std::string& lane = rules[i].lane;
        if (!lane.empty() && std::ranges::find(lanes, lane, &lane_section::name) == lanes.end()) {
            all.complain("events.rules", which + "no lane is named " + quote(lane));
        }
    }
}

} // namespace

void check_events(assembly& all) {
    check_redactions(all);
    check_additions(all);
    check_rules(all);
}

} // namespace linkrunner::config
