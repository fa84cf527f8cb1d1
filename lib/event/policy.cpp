#include "event/policy.hpp"

#include <utility>

namespace linkrunner::event {

policy::policy(const policy_settings& all, redactor::keyed_hash hash)
    : revenue_names_(all.revenue_names), redactor_(all.redact, std::move(hash)),
      enricher_(all.add, all.stamp, all.overwrite) {
    usual_.checks = all.checks;
    for (const name_rule& each : all.rules) {
        treatment what{all.checks, each.drop, each.lane, each.ambiguous_dead};
        for (std::size_t i = 0; i < rule_count; ++i) {
            what.checks.all[i] = each.checks[i].value_or(what.checks.all[i]);
        }
        rules_.push_back({patterns(each.names), what});
    }
}

const policy::treatment& policy::for_name(std::string_view event_name) const {
    for (const compiled_rule& each : rules_) {
        if (each.names.match(event_name)) {
            return each.what;
        }
    }
    return usual_;
}

} // namespace linkrunner::event
