#include "delivery/ready_events.hpp"

#include <algorithm>

namespace linkrunner::delivery {

void ready_events::add(endpoint path, sequence number) {
    size_ += by_path_.at(static_cast<std::size_t>(path)).insert(number).second ? 1 : 0;
}

void ready_events::remove(endpoint path, sequence number) {
    size_ -= by_path_.at(static_cast<std::size_t>(path)).erase(number);
}

bool ready_events::any(path_mask paths) const {
    return oldest(paths).has_value();
}

std::optional<sequence> ready_events::oldest(path_mask paths) const {
    std::optional<sequence> out;
    for (std::size_t path = 0; path < by_path_.size(); ++path) {
        if ((paths >> path & 1) != 0 && !by_path_[path].empty()) {
            out = std::min(out.value_or(*by_path_[path].begin()), *by_path_[path].begin());
        }
    }
    return out;
}

const std::set<sequence>* ready_events::pick_path(path_mask paths, double random) const {
    const auto start = static_cast<std::size_t>(random * static_cast<double>(by_path_.size()));
    for (std::size_t step = 0; step < by_path_.size(); ++step) {
        const std::size_t path = (start + step) % by_path_.size();
        if ((paths >> path & 1) != 0 && !by_path_[path].empty()) {
            return &by_path_[path];
        }
    }
    return nullptr;
}

} // namespace linkrunner::delivery
