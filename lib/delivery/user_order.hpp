// Order per user within a lane: at most one event of a user is under way (the head), and it stays the head
// until it has ended, through all its retries. A few of the user's next events wait behind it in memory;
// further ones are passed over: they are forgotten, all but the number from which the user's events have to
// be read again (16 bytes a user). While the head rests for a retry, nothing waits behind it: events of users
// that cannot be served take no room from the others.
//
// Invariant: where a user has such a number n, all of the user's pending events below n are in memory, and
// none at or above n is. So what is taken is always the user's next.
#pragma once

#include "delivery/time.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace linkrunner::delivery {

class user_order {
  public:
    struct limits {
        std::size_t behind_head = 64; // of a user, in memory
        std::size_t users = 100'000;  // with events passed over
    };
    explicit user_order(limits by) : by_(by) {}

    enum class place : std::uint8_t {
        head,    // may be sent
        behind,  // waits in memory for the ones before it
        passed,  // forget it
        no_room, // forget it, and all that come after: too many users have events passed over
    };

    void read_begins(sequence from);
    place offer(std::uint64_t user, sequence number);
    // All pending events from where the read began up to `next` were offered; from `frontier` on nothing was
    // ever read.
    void read_ends(sequence next, sequence frontier);

    // The head rests: returns the events behind it, which are forgotten.
    std::vector<sequence> rest(std::uint64_t user);
    void wake(std::uint64_t user); // it may be sent again

    // An event has gone. Returns the new head if it was the head and another waits behind it.
    std::optional<sequence> remove(std::uint64_t user, sequence number);

    bool is_head(std::uint64_t user, sequence number) const;
    bool is_behind(std::uint64_t user, sequence number) const;
    // The one that waits behind this one of the user, if there is one.
    std::optional<sequence> after(std::uint64_t user, sequence number) const;

    // From where events of users that can be served have to be read again.
    std::optional<sequence> read_again() const;

    std::size_t waiting_behind() const { return behind_; }
    std::size_t passed_users() const { return unread_.size(); }
    bool full() const { return unread_.size() >= by_.users; }

  private:
    struct line {
        sequence head = 0;
        std::vector<sequence> behind; // ascending
        bool resting = false;
    };
    struct unread {
        sequence from = 0;
        std::uint32_t passed_in = 0; // the read in which one was passed over
        bool wanted = false;         // is in wanted_
    };

    bool can_use_more(std::uint64_t user) const;
    void set_from(std::uint64_t user, sequence from);
    void refresh(std::uint64_t user);
    place pass(std::uint64_t user, sequence number);
    place take(std::uint64_t user, sequence number);

    limits by_;
    boost::unordered_flat_map<std::uint64_t, line> lines_;
    boost::unordered_flat_map<std::uint64_t, unread> unread_;
    std::set<std::pair<sequence, std::uint64_t>> wanted_; // by unread.from
    std::size_t behind_ = 0;
    sequence reading_from_ = 0;
    std::uint32_t read_ = 0;
};

} // namespace linkrunner::delivery
