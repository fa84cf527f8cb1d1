// The events of a lane that may be sent, oldest first, by path (a held path keeps only its own), and those
// that have failed before apart from the fresh ones.
#pragma once

#include "base/endpoint.hpp"
#include "delivery/time.hpp"

#include <array>
#include <functional>
#include <optional>
#include <set>

namespace linkrunner::delivery {

using path_mask = std::uint32_t; // bit i: endpoint i
inline constexpr path_mask all_paths = (path_mask{1} << endpoint_count) - 1;

class ready_events {
  public:
    using predicate = std::function<bool(sequence)>;

    void add(endpoint path, sequence number, bool failed);
    void remove(endpoint path, sequence number, bool failed);

    bool any(path_mask paths) const;
    std::optional<sequence> oldest(path_mask paths) const;

    // The first from this number on, or the oldest where there is none: one after the other, they go round.
    std::optional<sequence> around(path_mask paths, sequence from) const;

    // One at a random place (not quite uniform where numbers are sparse). `random` is in [0, 1).
    std::optional<sequence> anywhere(path_mask paths, double random) const;

    // The first that will do among the `most` oldest fresh ones of each path.
    std::optional<sequence> fresh(path_mask paths, int most, const predicate& will_do) const;

    std::size_t fresh_count() const { return fresh_count_; }
    std::size_t failed_count() const { return failed_count_; }

  private:
    using numbers = std::set<sequence>;
    template <class Choose>
    std::optional<sequence> least(path_mask paths, Choose choose) const;
    static std::size_t index_of(endpoint path) { return static_cast<std::size_t>(path); }

    std::array<numbers, endpoint_count> fresh_, failed_;
    std::size_t fresh_count_ = 0;
    std::size_t failed_count_ = 0;
};

} // namespace linkrunner::delivery
