// The events of a lane that may be sent, oldest first, by path (a held path keeps only its own).
#pragma once

#include "base/endpoint.hpp"
#include "delivery/time.hpp"

#include <array>
#include <optional>
#include <set>

namespace linkrunner::delivery {

using path_mask = std::uint32_t; // bit i: endpoint i
inline constexpr path_mask all_paths = (path_mask{1} << endpoint_count) - 1;

constexpr path_mask mask_of(endpoint path) noexcept {
    return path_mask{1} << static_cast<unsigned>(path);
}

class ready_events {
  public:
    void add(endpoint path, sequence number);
    void remove(endpoint path, sequence number);

    bool any(path_mask paths) const;
    std::optional<sequence> oldest(path_mask paths) const;

    // One at a random place; `other_than`, if given, is asked to say no to one (which is then the last
    // choice).
    template <class Predicate>
    std::optional<sequence> anywhere(path_mask paths, double random, Predicate&& unwanted) const;

    // The first that will do among the `most` oldest of each path.
    template <class Predicate>
    std::optional<sequence> among_oldest(path_mask paths, int most, Predicate&& will_do) const;

    std::size_t size() const { return size_; }

  private:
    const std::set<sequence>* pick_path(path_mask paths, double random) const;

    std::array<std::set<sequence>, endpoint_count> by_path_;
    std::size_t size_ = 0;
};

template <class Predicate>
std::optional<sequence> ready_events::anywhere(path_mask paths, double random, Predicate&& unwanted) const {
    const std::set<sequence>* from = pick_path(paths, random);
    if (from == nullptr) {
        return std::nullopt;
    }
    const sequence first = *from->begin();
    const double span = static_cast<double>(*from->rbegin() - first + 1);
    auto found = from->lower_bound(first + static_cast<sequence>(span * random));
    if (found == from->end()) {
        found = from->begin();
    }
    if (unwanted(*found)) {
        const auto other = std::next(found) == from->end() ? from->begin() : std::next(found);
        return *other;
    }
    return *found;
}

template <class Predicate>
std::optional<sequence> ready_events::among_oldest(path_mask paths, int most, Predicate&& will_do) const {
    for (std::size_t path = 0; path < by_path_.size(); ++path) {
        if ((paths >> path & 1) == 0) {
            continue;
        }
        int looked_at = 0;
        for (const sequence number : by_path_[path]) {
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
