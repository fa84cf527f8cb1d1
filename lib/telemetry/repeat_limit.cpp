#include "telemetry/repeat_limit.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::log {

std::optional<std::uint64_t> repeat_limit::admit(std::string_view message, time_point now) {
    const std::lock_guard lock(mutex_);
    auto found = messages_.find(message);
    if (found == messages_.end()) {
        if (messages_.size() >= most_messages) {
            forget_oldest();
        }
        found = messages_.emplace(std::string(message), history{}).first;
    }
    history& past = found->second;
    past.seen = now;
    if (past.count == lines && now - past.written[past.next] < window) {
        ++past.suppressed;
        return std::nullopt;
    }
    past.written[past.next] = now;
    past.next = (past.next + 1) % lines;
    past.count = std::min(past.count + 1, lines);
    return std::exchange(past.suppressed, 0);
}

void repeat_limit::forget_oldest() {
    const auto oldest =
        std::min_element(messages_.begin(), messages_.end(),
                         [](const auto& a, const auto& b) { return a.second.seen < b.second.seen; });
    messages_.erase(oldest);
}

} // namespace linkrunner::log
