#include "event/pattern.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <utility>

namespace linkrunner::event {

pattern::pattern(std::string text) : text_(std::move(text)) {
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

bool pattern::matches(std::string_view name) const {
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

patterns::patterns(const std::vector<std::string>& texts) {
    all_.reserve(texts.size());
    for (const std::string& each : texts) {
        all_.emplace_back(each);
    }
}

bool patterns::match(std::string_view name) const {
    return std::ranges::any_of(all_, [name](const pattern& each) { return each.matches(name); });
}

} // namespace linkrunner::event
