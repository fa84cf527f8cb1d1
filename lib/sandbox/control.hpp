// The sandbox's own paths beside the API's: what arrived (GET /events, GET /summary) and what shall go wrong
// (GET, POST, PUT, DELETE /faults; PUT, DELETE /key; PUT, DELETE /rate; POST /reset). Not rate-limited, no
// faults, no key: the sandbox is for tests and demos.
#pragma once

#include "sandbox/api.hpp"

namespace linkrunner::sandbox {

reply answer_control(api& state, const incoming& request, steady_time now, wall_time at);

// Everything that was counted, as JSON.
std::string summary_json(api& state);

// One received event as JSON on one line, its body as it came.
std::string event_json(const received_event& event);

// "30/s", "30/s bucket 5", "30/s window", "30/s sliding"; "off".
result<rate_settings> parse_rate(std::string_view text);

} // namespace linkrunner::sandbox
