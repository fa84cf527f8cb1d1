#include "delivery/ready_events.hpp"

#include <algorithm>

namespace linkrunner::delivery {

void ready_events::add(endpoint path, sequence number, bool failed) {
    auto& into = failed ? failed_ : fresh_;
    (failed ? failed_count_ : fresh_count_) += into.at(index_of(path)).insert(number).second ? 1 : 0;
}

void ready_events::remove(endpoint path, sequence number, bool failed) {
    auto& from = failed ? failed_ : fresh_;
    (failed ? failed_count_ : fresh_count_) -= from.at(index_of(path)).erase(number);
}

bool ready_events::any(path_mask paths) const {
    for (std::size_t path = 0; path < fresh_.size(); ++path) {
        if ((paths >> path & 1) != 0 && (!fresh_[path].empty() || !failed_[path].empty())) {
            return true;
        }
    }
    return false;
}

// The least of what `choose` finds in each set of these paths.
template <class Choose>
std::optional<sequence> ready_events::least(path_mask paths, Choose choose) const {
    std::optional<sequence> out;
    for (std::size_t path = 0; path < fresh_.size(); ++path) {
        if ((paths >> path & 1) == 0) {
            continue;
        }
        for (const numbers* one : {&fresh_[path], &failed_[path]}) {
            const auto found = choose(*one);
            if (found != one->end()) {
                out = std::min(out.value_or(*found), *found);
            }
        }
    }
    return out;
}

std::optional<sequence> ready_events::oldest(path_mask paths) const {
    return least(paths, [](const numbers& one) { return one.begin(); });
}

std::optional<sequence> ready_events::around(path_mask paths, sequence from) const {
    const auto found = least(paths, [from](const numbers& one) { return one.lower_bound(from); });
    return found ? found : oldest(paths);
}

std::optional<sequence> ready_events::anywhere(path_mask paths, double random) const {
    const auto first = oldest(paths);
    if (!first) {
        return std::nullopt;
    }
    sequence last = *first;
    for (std::size_t path = 0; path < fresh_.size(); ++path) {
        for (const numbers* one : {&fresh_[path], &failed_[path]}) {
            if ((paths >> path & 1) != 0 && !one->empty()) {
                last = std::max(last, *one->rbegin());
            }
        }
    }
    return around(paths, *first + static_cast<sequence>(static_cast<double>(last - *first + 1) * random));
}

std::optional<sequence> ready_events::fresh(path_mask paths, int most, const predicate& will_do) const {
    for (std::size_t path = 0; path < fresh_.size(); ++path) {
        if ((paths >> path & 1) == 0) {
            continue;
        }
        int looked_at = 0;
        for (const sequence number : fresh_[path]) {
            if (will_do(number)) {
                return number;
            }
            if (++looked_at == most) {
                break;
            }
        }
    }
    return std::nullopt;
}

} // namespace linkrunner::delivery
