// What the sandbox received: the last events whole, all identities as hashes, and the sums. Memory is
// bounded. Pure, single-threaded.
#pragma once

#include "base/endpoint.hpp"
#include "base/hash.hpp"
#include "env/clock.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>

namespace linkrunner::sandbox {

struct received_event {
    std::uint64_t number = 0; // from 1, in order of arrival
    wall_time at{};
    endpoint path{};
    std::string name, user, event_id;
    std::string body;       // as it came
    bool duplicate = false; // (name, user, event_id) was seen before; of payments told by who knows them
    bool answered = true;   // false: processed, but the client was not told so
    int status = 0;         // of the answer
};

class ledger {
  public:
    ledger(std::size_t keep_events, std::size_t keep_identities);

    const received_event& record(received_event event);
    void clear();

    const std::deque<received_event>& recent() const { return recent_; }
    std::uint64_t total() const { return total_; }
    std::uint64_t unique() const { return total_ - duplicates_; }
    std::uint64_t duplicates() const { return duplicates_; }
    std::uint64_t without_id() const { return without_id_; }
    std::uint64_t unanswered() const { return unanswered_; }
    std::uint64_t forgotten_identities() const { return forgotten_; }

  private:
    struct identity_hash {
        std::size_t operator()(const fingerprint& of) const noexcept { return of.low; }
    };

    bool seen_before(const received_event& event);

    std::size_t keep_events_;
    std::size_t keep_identities_;
    std::deque<received_event> recent_;
    std::unordered_set<fingerprint, identity_hash> seen_;
    std::deque<fingerprint> order_; // of seen_, oldest first
    std::uint64_t total_ = 0;
    std::uint64_t duplicates_ = 0;
    std::uint64_t without_id_ = 0;
    std::uint64_t unanswered_ = 0;
    std::uint64_t forgotten_ = 0;
};

} // namespace linkrunner::sandbox
