#include "sandbox/ledger.hpp"

namespace linkrunner::sandbox {

ledger::ledger(std::size_t keep_events, std::size_t keep_identities)
    : keep_events_(keep_events == 0 ? 1 : keep_events), keep_identities_(keep_identities) {}

bool ledger::seen_before(const received_event& event) {
    const fingerprint identity = hash128(0, {event.name, event.user, event.event_id});
    if (!seen_.insert(identity).second) {
        return true;
    }
    order_.push_back(identity);
    if (order_.size() > keep_identities_) {
        seen_.erase(order_.front());
        order_.pop_front();
        ++forgotten_;
    }
    return false;
}

const received_event& ledger::record(received_event event) {
    event.number = ++total_;
    if (event.event_id.empty()) {
        ++without_id_;
    } else if (event.path == endpoint::capture_event) {
        event.duplicate = seen_before(event);
    }
    duplicates_ += event.duplicate ? 1 : 0;
    unanswered_ += event.answered ? 0 : 1;
    recent_.push_back(std::move(event));
    if (recent_.size() > keep_events_) {
        recent_.pop_front();
    }
    return recent_.back();
}

void ledger::clear() {
    *this = ledger(keep_events_, keep_identities_);
}

} // namespace linkrunner::sandbox
