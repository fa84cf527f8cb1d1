#include "delivery/payment_order.hpp"

#include <iterator>

namespace linkrunner::delivery {

void payment_order::waits(std::uint64_t payment, std::uint64_t user, sequence number) {
    if (!by_number_.emplace(number, payment).second) {
        return;
    }
    users_.emplace(std::pair(payment, number), user);
    if (by_number_.size() > most_) {
        ended(by_number_.begin()->first);
    }
}

void payment_order::ended(sequence number) {
    const auto found = by_number_.find(number);
    if (found != by_number_.end()) {
        users_.erase({found->second, number});
        by_number_.erase(found);
    }
}

std::optional<std::uint64_t> payment_order::payer_before(std::uint64_t payment, sequence removal) const {
    const auto behind = users_.lower_bound({payment, removal});
    if (behind == users_.begin() || std::prev(behind)->first.first != payment) {
        return std::nullopt;
    }
    return std::prev(behind)->second;
}

} // namespace linkrunner::delivery
