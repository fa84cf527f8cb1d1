// The structured rate limit fields: RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers,
// versions 8 to 10 (`"default";r=50;t=30` and `"default";q=100;w=60`), version 7 (`limit=100, remaining=50,
// reset=30` and `100;w=60`) and the policies of 3 to 6, which are written alike. Lists and dictionaries are
// those of RFC 9651; one that is malformed says nothing, as its section 4.2 wants it; so does a member
// without what the draft requires.
//
// Quotas are counted in requests. Policies of other units (`qu="content-bytes"`, `"concurrent-requests"`),
// and what is said of them, are left out. Partition keys (`pk`) do not matter here: what is answered to us is
// ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::delivery {

struct rate_policy {
    std::string name;                    // "" before version 8
    std::uint64_t quota = 0;             // requests
    std::optional<std::uint64_t> window; // seconds
    bool in_requests = true;
};
std::vector<rate_policy> parse_rate_policies(std::string_view field);

struct rate_left {
    std::string name;                   // of the policy; "" before version 8
    std::uint64_t remaining = 0;        // requests
    std::optional<std::uint64_t> reset; // seconds from now
};
std::vector<rate_left> parse_rate_left(std::string_view field);

} // namespace linkrunner::delivery
