// Answers in Linkrunner's own envelope: {"msg": "...", "status": 202, "data": {...}}.
#pragma once

#include "event/event.hpp"
#include "net/envelope.hpp"
#include "net/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::intake {

// Codes are listed in docs/intake.md.
using net::envelope;
using net::refusal;

// A refused event: the code with its pointer, line and column where known. 413 for one too large, 409 for a
// conflict, else 400.
net::response refusal(const event::violation& why);

// A refusal whose code the metrics need, too.
struct coded_refusal {
    std::string_view code; // one of the constants in docs/intake.md
    net::response answer;
};

coded_refusal coded(int status, std::string_view code, std::string_view message);

// A refusal that passes: 503 with Retry-After in whole seconds.
net::response unavailable(std::string_view code, std::string_view message, long retry_after_seconds);

// Appends "code", "msg" and, where known, "pointer", "line", "column" as members, without braces.
void append_violation(std::string& out, const event::violation& why);

// The same for what was found in an event that was taken, with "fixed" where it was mended.
void append_finding(std::string& out, const event::finding& what);

// A single event that was taken: what its answer tells of it.
struct accepted_event {
    endpoint path{};
    std::string event_id;
    std::vector<event::finding> findings;
};

// The data of its answer; `outcome` where one was waited for.
std::string data_of(const accepted_event& one, bool duplicate, std::string_view outcome);

} // namespace linkrunner::intake
