// A removal never overtakes its payment, though it may name it by payment_id alone and so belong to no user:
// it waits in the line of the user whose payment it is, as long as that payment waits. This remembers the
// payments that wait, also those that were passed over and are not in memory. Payments and removals are in
// one lane (event::event::lane_name); one of these for each lane.
//
// Bounded: of more than `most` the longest waiting are forgotten. Then a removal may be sent too early, is
// answered 400 and goes to the dead letters: late, but neither lost nor wrong.
#pragma once

#include "delivery/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace linkrunner::delivery {

class payment_order {
  public:
    explicit payment_order(std::size_t most = 20'000) : most_(most) {}

    // The payment that event `number` captures for `user` waits. The same again changes nothing.
    void waits(std::uint64_t payment, std::uint64_t user, sequence number);
    void ended(sequence number); // an event that is no payment is none that waits

    // The user of the last one that was accepted before the removal and waits; those accepted later do not
    // count.
    std::optional<std::uint64_t> payer_before(std::uint64_t payment, sequence removal) const;

    std::size_t size() const { return by_number_.size(); }

  private:
    std::size_t most_;
    std::map<std::pair<std::uint64_t, sequence>, std::uint64_t> users_; // by payment and number
    std::map<sequence, std::uint64_t> by_number_;                       // payments
};

} // namespace linkrunner::delivery
