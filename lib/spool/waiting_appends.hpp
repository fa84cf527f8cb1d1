// Appends that wait until room has been made for them (when_full: drop_oldest): a sender that is faster than
// room can be made is answered later, not refused. They keep their order, and others do not overtake them.
// The disk thread's.
#pragma once

#include "spool/round.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace linkrunner::spool {

class waiting_appends {
  public:
    // They do not wait longer without room for one of them: nobody may be there who can say what may be
    // dropped.
    std::optional<steady_time> until() const noexcept {
        return jobs_.empty() ? std::nullopt : std::optional(until_);
    }
    bool empty() const noexcept { return jobs_.empty(); }

    // The appends of this round wait as well.
    void add(round& job);

    // Those that wait become the first of this round.
    void give_back(round& job);

    // After the commit: takes back those of the round that have to wait.
    void take(round& job, steady_time now);

  private:
    std::vector<append_job> jobs_;
    std::vector<std::pair<append_callback, std::uint64_t>> callbacks_;
    steady_time until_{};
    bool waited_ = false; // some of those given back had waited before
};

} // namespace linkrunner::spool
