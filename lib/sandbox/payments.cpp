#include "sandbox/payments.hpp"

namespace linkrunner::sandbox {

bool payments::capture(payment one) {
    const key id(one.payment_id, one.type);
    if (!one.payment_id.empty() && by_id_.contains(id)) {
        ++ignored_;
        return false;
    }
    held_.push_back(std::move(one));
    if (!id.first.empty()) {
        by_id_.emplace(id, std::prev(held_.end()));
    }
    if (held_.size() > keep_) {
        erase(held_.begin());
    }
    return true;
}

std::size_t payments::remove(const std::string& payment_id, const std::string& user_id) {
    std::size_t count = 0;
    for (auto each = held_.begin(); each != held_.end();) {
        const auto one = each++;
        if (payment_id.empty() ? one->user_id == user_id : one->payment_id == payment_id) {
            erase(one);
            ++count;
        }
    }
    removed_ += count;
    return count;
}

void payments::erase(std::list<payment>::iterator one) {
    if (!one->payment_id.empty()) {
        by_id_.erase({one->payment_id, one->type});
    }
    held_.erase(one);
}

} // namespace linkrunner::sandbox
