// What an operator can set about delivery (contract section 6, `delivery`), checked by lib/config.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::delivery {

// A max_age that no event reaches.
inline constexpr std::chrono::milliseconds age_off = std::chrono::milliseconds::max();

struct lane_settings {
    std::string name;
    unsigned weight = 1;
    std::vector<std::string> names; // glob patterns on event_name: "purchase_*"
    bool with_amount = false;       // also events whose event_data has an `amount`
};

struct settings {
    std::optional<double> rate_per_second = 29; // nothing: `auto`, found by 429s
    double burst = 1;
    bool adaptive = true;
    std::size_t max_in_flight = 32;     // events
    std::size_t events_per_request = 1; // more than one: scheduler::next_along()
    bool order_by_user = true;
    std::chrono::milliseconds backoff_initial{1'000};
    std::chrono::milliseconds backoff_max{300'000};
    std::uint32_t max_attempts = 20;
    std::optional<std::chrono::milliseconds> max_age; // nothing: off
    std::chrono::milliseconds retry_after_max{600'000};
    std::chrono::milliseconds hold_probe{60'000};
    std::size_t window = 1024;               // candidates in memory per lane
    std::size_t max_blocked_users = 100'000; // with events passed over, at 16 bytes or so each
    std::size_t max_resting = 20'000;        // events in memory that wait for a retry, beside those
    // The first that matches takes the event; the last takes all.
    std::vector<lane_settings> lanes = {{"revenue", 8, {"purchase_*"}, true}, {"default", 1, {"*"}, false}};
};

} // namespace linkrunner::delivery
