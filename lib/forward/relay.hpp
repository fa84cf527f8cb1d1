// A request to another linkrunnerd: many events as NDJSON to its /v1/events (docs/handoff.md), and its answer
// taken apart again, event by event. Pure. Room-internal.
#pragma once

#include "net/client.hpp"
#include "spool/record.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::forward {

// Appends the line of an event. It says which call of the API the event is for, and the id by which a repeat
// is recognised; the event's own bytes follow as they are.
void append_relayed(std::string& lines, const spool::stored_event& event, std::uint64_t hash_seed);

// `token` may be empty: then none is sent.
net::outgoing relay_request(std::string lines, const std::string& token, std::uint64_t hash_seed);

// How one event of a request ended.
struct relayed {
    net::answer how; // as if it had been sent alone: 2xx, or 422 with the code and the words of its refusal
    bool filtered = false; // 2xx, but a rule of the other side drops such events: it was not taken over
};

// One for each of `count` events, in their order; nothing where the answer is not about single events: a
// failure of the transport, a refusal of the whole request, or not the answer of a linkrunnerd at all.
std::optional<std::vector<relayed>> results_of(const net::answer& whole, std::size_t count);

// A success that results_of() does not understand is none: nobody knows what became of the events.
net::answer without_unknown_success(net::answer whole);

} // namespace linkrunner::forward
