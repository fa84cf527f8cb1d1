// The line that `systemctl status` shows, and what it is made from. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linkrunner::daemon {

struct line_facts {
    std::string_view state;  // of the upstream, as in linkrunnerd_upstream_state
    std::string_view reason; // in words; may be empty
    std::uint64_t waiting = 0;
    double rate_per_second = 0;
    std::uint64_t delivered_last_minute = 0;
    std::string_view refusing; // the code with which new events are refused; empty: they are taken
};

// "healthy: 12 waiting, 29/s, 1,204 delivered in the last minute", or the reason in place of the figures
// where nothing is delivered: "held_unauthorized: 4,210 waiting; 401 from ...". UTF-8, without control
// characters.
std::string status_line(const line_facts& facts);

} // namespace linkrunner::daemon
