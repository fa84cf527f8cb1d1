// What an operator can set about the intake (contract section 6, `intake`), checked by lib/config.
#pragma once

#include "event/event.hpp"
#include "event/lanes.hpp"
#include "event/policy.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace linkrunner::intake {

enum class client_key_policy { ignore, warn, reject };

struct settings {
    int drop_in_status = 201;
    client_key_policy client_key = client_key_policy::warn;
    std::vector<std::string> hosts;     // allowed in Host on loopback TCP, beside the loopback names
    bool allow_unauthenticated = false; // without a token such listeners refuse everybody, unless this is set
    std::string token; // asked of callers on listeners that are neither loopback nor Unix; empty: none
    event::bounds limits;
    bool add_event_id = true;
    event::policy rules;              // data quality, redaction, additions
    bool remove_all_payments = false; // a remove-payment with a user_id alone is accepted
    std::vector<event::lane_rule> lanes;
    bool ambiguous_dead =
        false; // what follows an ambiguous attempt of events of which no rule says otherwise
    std::uint64_t max_body_bytes = 4 << 20; // inflated
    std::size_t max_batch = 10'000;
    std::size_t max_waiters = 256;
    std::uint64_t max_uncommitted_bytes = 8 << 20; // reading stops beyond this
};

// Bounds of ?wait=delivered&timeout=.
inline constexpr std::chrono::milliseconds default_wait{5'000};
inline constexpr std::chrono::milliseconds longest_wait{60'000};

// Bodies that are inflated and not yet stored: each may take intake.max_body, however small it came. Further
// ones wait as they came.
inline constexpr std::size_t most_inflated_at_once = 4;

// Long work is cut into slices of about this length, so that a single event never waits for a big batch.
inline constexpr std::chrono::microseconds slice{500};

} // namespace linkrunner::intake
