#include "event/lanes.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <utility>

namespace linkrunner::event {

lane_rules::pattern::pattern(std::string text) : text_(std::move(text)) {
    const std::size_t special = text_.find_first_of("*?[\\");
    if (special == std::string::npos) {
        kind_ = kind::literal;
    } else if (special == text_.size() - 1 && text_.back() == '*') {
        kind_ = kind::prefix;
        text_.pop_back();
    } else {
        kind_ = kind::glob;
    }
}

bool lane_rules::pattern::matches(std::string_view name) const {
    switch (kind_) {
    case kind::literal:
        return name == text_;
    case kind::prefix:
        return name.starts_with(text_);
    case kind::glob:
        break;
    }
    return ::fnmatch(text_.c_str(), std::string(name).c_str(), 0) == 0;
}

lane_rules::lane_rules(std::vector<lane_rule> rules) {
    rules_.reserve(rules.size());
    for (lane_rule& rule : rules) {
        compiled_rule compiled;
        compiled.with_amount = rule.with_amount;
        for (std::string& name : rule.names) {
            compiled.names.emplace_back(std::move(name));
        }
        rules_.push_back(std::move(compiled));
    }
}

std::uint8_t lane_rules::lane_for(std::string_view name, bool has_amount) const {
    std::size_t lane = 0;
    for (; lane + 1 < rules_.size(); ++lane) {
        const compiled_rule& rule = rules_[lane];
        if ((rule.with_amount && has_amount) ||
            std::any_of(rule.names.begin(), rule.names.end(),
                        [name](const pattern& known) { return known.matches(name); })) {
            break;
        }
    }
    return static_cast<std::uint8_t>(lane);
}

} // namespace linkrunner::event
