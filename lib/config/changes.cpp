#include "config/changes.hpp"

#include "config/key.hpp"
#include "config/value.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace linkrunner::config {
namespace {

std::vector<std::string> names_of(const std::vector<lane_section>& lanes) {
    std::vector<std::string> out;
    for (const lane_section& lane : lanes) {
        out.push_back(lane.name);
    }
    return out;
}

bool same(slot left, slot right) {
    return std::visit(
        [&](auto* one) {
            using value = std::remove_pointer_t<decltype(one)>;
            return *one == **std::get_if<value*>(&right);
        },
        left);
}

void put_back(slot into, slot from) {
    std::visit(
        [&](auto* to) {
            using value = std::remove_pointer_t<decltype(to)>;
            *to = **std::get_if<value*>(&from);
        },
        into);
}

void put_back_origin(const loaded& from, loaded& into, std::string_view key) {
    const auto of = [&](const auto& origins) {
        return std::ranges::find(origins, key, [](const auto& each) { return std::string_view(each.first); });
    };
    const auto before = of(from.origins);
    const auto after = of(into.origins);
    if (before != from.origins.end() && after != into.origins.end()) {
        into.origins[static_cast<std::size_t>(after - into.origins.begin())].second = before->second;
    }
}

void add_secret(std::vector<change>& out, const char* key, const std::string& before,
                const std::string& after) {
    if (before != after) {
        const auto shown = [](const std::string& secret) { return secret.empty() ? "\"\"" : "********"; };
        out.push_back({key, shown(before), shown(after), false});
    }
}

} // namespace

std::vector<change> take_changes(const loaded& in_force, loaded& read_anew) {
    settings before = in_force.values; // slots are writable, what is in force is not
    settings& after = read_anew.values;
    const bool lanes_stay = names_of(before.delivery.lanes) == names_of(after.delivery.lanes);
    std::vector<change> out;
    for (const key& each : keys()) {
        if (same(each.at(before), each.at(after))) {
            continue;
        }
        const bool keeps = each.effect == since::start || (each.name == "delivery.lanes" && !lanes_stay) ||
                           (each.name == "events.rules" && !lanes_stay); // which name lanes
        out.push_back({std::string(each.name), print_shown(each, before), print_shown(each, after), keeps});
        if (keeps) {
            put_back(each.at(after), each.at(before));
            put_back_origin(in_force, read_anew, each.name);
        }
    }
    add_secret(out, "upstream.server_key", before.server_key, after.server_key);
    add_secret(out, "intake.token", before.intake_token, after.intake_token);
    add_secret(out, "upstream.token", before.upstream_token, after.upstream_token);
    add_secret(out, "shutdown.handoff_token", before.handoff_token, after.handoff_token);
    add_secret(out, "events.redact_key", before.redact_key, after.redact_key);
    return out;
}

} // namespace linkrunner::config
