// The events of a lane that may be sent, by path (a held path keeps only its own), and those that have failed
// before apart from the fresh ones.
//
// They take turns: each gets the next one when it may first be sent, and keeps it over its retries. That is
// the order of acceptance where every event has a user of its own. With order per user the next event of a
// user may be sent when the one before it has ended, and then stands behind all that waited meanwhile: by
// their numbers, a user with a million waiting events and a fast API would leave nothing to the others.
#pragma once

#include "base/endpoint.hpp"
#include "delivery/time.hpp"

#include <array>
#include <functional>
#include <map>
#include <optional>

namespace linkrunner::delivery {

using path_mask = std::uint32_t; // bit i: endpoint i
inline constexpr path_mask all_paths = (path_mask{1} << endpoint_count) - 1;

class ready_events {
  public:
    using predicate = std::function<bool(sequence)>;
    using turn = std::uint64_t; // not less than the event's number

    // Returns its turn: `its`, or the next one where that is 0.
    turn add(endpoint path, sequence number, bool failed, turn its);
    void remove(endpoint path, turn its, bool failed);

    bool any(path_mask paths) const;
    std::optional<sequence> first(path_mask paths) const;

    // The first from this turn on, or the first of all where there is none: one after the other, they go
    // round.
    std::optional<sequence> around(path_mask paths, turn from) const;

    // One at a random place (not quite uniform where turns are sparse). `random` is in [0, 1).
    std::optional<sequence> anywhere(path_mask paths, double random) const;

    // The first that will do among the `most` first fresh ones of each path.
    std::optional<sequence> fresh(path_mask paths, int most, const predicate& will_do) const;

    std::size_t fresh_count() const { return fresh_count_; }
    std::size_t failed_count() const { return failed_count_; }

  private:
    using numbers = std::map<turn, sequence>;
    template <class Choose>
    std::optional<numbers::value_type> least(path_mask paths, Choose choose) const;
    static std::size_t index_of(endpoint path) { return static_cast<std::size_t>(path); }

    std::array<numbers, endpoint_count> fresh_, failed_;
    turn last_turn_ = 0;
    std::size_t fresh_count_ = 0;
    std::size_t failed_count_ = 0;
};

} // namespace linkrunner::delivery
