// What an answer says about when to come back: Retry-After (RFC 9110 section 10.2.3) and the rate limit
// headers: RateLimit and RateLimit-Policy (rate_fields.hpp), else RateLimit-Limit, -Remaining and -Reset
// (draft-ietf-httpapi-ratelimit-headers up to version 6) or the X-RateLimit-* of many services.
// Dates are measured against the answer's own Date, so that the clocks need not agree; against `wall` where
// there is none. What makes no sense, or names no time to come, says nothing.
#pragma once

#include "delivery/outcome.hpp"
#include "delivery/time.hpp"

#include <cstdint>
#include <optional>

namespace linkrunner::delivery {

// Longer than any cap, and small enough to be added to any time.
inline constexpr std::chrono::seconds longest_wait = std::chrono::hours(24 * 365);

std::optional<nanoseconds> retry_after(const attempt_end& end, wall_time wall);

struct rate_hint {
    std::optional<std::uint64_t> remaining; // requests allowed until `reset`
    std::optional<nanoseconds> reset;       // from now; has a resolution of a second
    std::optional<double> sustained;        // requests per second, where the limit names its window (";w=")

    bool empty() const { return !(remaining && reset) && !sustained; }
};

rate_hint rate_hint_of(const attempt_end& end, wall_time wall);

} // namespace linkrunner::delivery
