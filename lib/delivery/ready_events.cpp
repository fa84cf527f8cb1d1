#include "delivery/ready_events.hpp"

#include <algorithm>

namespace linkrunner::delivery {

ready_events::turn ready_events::add(endpoint path, sequence number, bool failed, turn its) {
    if (its == 0) {
        last_turn_ = std::max(last_turn_ + 1, number);
        its = last_turn_;
    }
    auto& into = failed ? failed_ : fresh_;
    (failed ? failed_count_ : fresh_count_) += into.at(index_of(path)).emplace(its, number).second ? 1 : 0;
    return its;
}

void ready_events::remove(endpoint path, turn its, bool failed) {
    auto& from = failed ? failed_ : fresh_;
    (failed ? failed_count_ : fresh_count_) -= from.at(index_of(path)).erase(its);
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
std::optional<ready_events::numbers::value_type> ready_events::least(path_mask paths, Choose choose) const {
    const numbers::value_type* out = nullptr;
    for (std::size_t path = 0; path < fresh_.size(); ++path) {
        if ((paths >> path & 1) == 0) {
            continue;
        }
        for (const numbers* one : {&fresh_[path], &failed_[path]}) {
            const auto found = choose(*one);
            if (found != one->end() && (out == nullptr || found->first < out->first)) {
                out = &*found;
            }
        }
    }
    return out == nullptr ? std::nullopt : std::optional(*out);
}

std::optional<sequence> ready_events::first(path_mask paths) const {
    const auto found = least(paths, [](const numbers& one) { return one.begin(); });
    return found ? std::optional(found->second) : std::nullopt;
}

std::optional<sequence> ready_events::around(path_mask paths, turn from) const {
    const auto found = least(paths, [from](const numbers& one) { return one.lower_bound(from); });
    return found ? std::optional(found->second) : first(paths);
}

std::optional<sequence> ready_events::anywhere(path_mask paths, double random) const {
    const auto first_of_all = least(paths, [](const numbers& one) { return one.begin(); });
    if (!first_of_all) {
        return std::nullopt;
    }
    const turn begin = first_of_all->first;
    turn last = begin;
    for (std::size_t path = 0; path < fresh_.size(); ++path) {
        for (const numbers* one : {&fresh_[path], &failed_[path]}) {
            if ((paths >> path & 1) != 0 && !one->empty()) {
                last = std::max(last, one->rbegin()->first);
            }
        }
    }
    return around(paths, begin + static_cast<turn>(static_cast<double>(last - begin + 1) * random));
}

std::optional<sequence> ready_events::fresh(path_mask paths, int most, const predicate& will_do) const {
    for (std::size_t path = 0; path < fresh_.size(); ++path) {
        if ((paths >> path & 1) == 0) {
            continue;
        }
        int looked_at = 0;
        for (const auto& [its, number] : fresh_[path]) {
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
