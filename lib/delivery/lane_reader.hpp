// Where a lane is to be read from: forward from its frontier, below which everything was read once, and again
// from where a user's events were passed over. The two take turns, so that a user with a million waiting
// events and the users behind it both get on.
//
// A read shows the past: an event may end between the read and its arrival here, and its mark may still be on
// its way to the queue when the next read begins. So the numbers of events that ended since the read before
// last are remembered, and their copies known.
#pragma once

#include "delivery/time.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <optional>

namespace linkrunner::delivery {

class lane_reader {
  public:
    // Where to read next, if anywhere. `again`: where passed-over events begin; `room` in memory for new
    // ones; not `forward`: the frontier must not move.
    struct plan {
        sequence from = 1;
        bool again = false;
    };
    std::optional<plan> next(std::optional<sequence> again, bool forward) const;

    void begins(const plan& what); // a later call replaces one that came to nothing
    void cut_at(sequence number);  // the read under way counts up to here only
    // Returns the number up to which the read counts: `next`, or where it was cut.
    sequence ended(sequence next, bool at_end);
    void stored();
    void replayed(sequence number); // it is pending again: everything from it on is read once more

    void gone(sequence number) { gone_now_.insert(number); } // an event ended
    void gone_elsewhere(sequence number);                    // its mark is in the queue already
    bool has_gone(sequence number) const {
        return gone_now_.contains(number) || gone_before_.contains(number);
    }
    bool at_end() const { return at_end_; }
    bool is_cut() const { return cut_.has_value(); }
    sequence frontier() const { return frontier_; }

  private:
    sequence frontier_ = 1;
    bool at_end_ = false;
    bool stored_meanwhile_ = false;
    bool reading_ = false;
    bool again_last_ = false;
    sequence from_ = 1; // of the read under way
    std::optional<sequence> cut_;
    std::optional<sequence> replayed_; // during this read
    boost::unordered_flat_set<sequence> gone_now_, gone_before_;
};

} // namespace linkrunner::delivery
