#include "event/lanes.hpp"

namespace linkrunner::event {

lane_rules::lane_rules(const std::vector<lane_rule>& rules) {
    rules_.reserve(rules.size());
    for (const lane_rule& rule : rules) {
        rules_.push_back({patterns(rule.names), rule.with_amount});
    }
}

std::uint8_t lane_rules::lane_for(std::string_view name, bool has_amount) const {
    std::size_t lane = 0;
    for (; lane + 1 < rules_.size(); ++lane) {
        const compiled_rule& rule = rules_[lane];
        if ((rule.with_amount && has_amount) || rule.names.match(name)) {
            break;
        }
    }
    return static_cast<std::uint8_t>(lane);
}

} // namespace linkrunner::event
