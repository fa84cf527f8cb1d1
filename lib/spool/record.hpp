// What goes into the spool and comes out of it.
#pragma once

#include "base/endpoint.hpp"
#include "base/hash.hpp"
#include "env/clock.hpp"

#include <cstdint>
#include <string>

namespace linkrunner::spool {

// Accept number: 1, 2, 3 ... in the order of acceptance over the life of the directory. It never changes.
using sequence = std::uint64_t;

inline constexpr int max_lanes = 16;

// An event on its way into the spool. `body` is the JSON object exactly as it will be sent; `name` and
// `event_id` are unescaped, as people read them.
struct new_event {
    endpoint path = endpoint::capture_event;
    std::uint8_t lane = 0;
    bool ambiguous_dead = false; // policy fixed at acceptance: an ambiguous attempt ends in the dead letters
    // Handed over by another linkrunnerd: what this spool once handed over itself may come back, and is no
    // repeat then. Not stored.
    bool relayed = false;
    wall_time accepted_at{};
    std::uint64_t user_key = 0;  // hash of the user, with the spool's hash_seed
    fingerprint identity;        // hash of (path, event_name, user, event_id), with the spool's hash_seed
    std::uint64_t body_hash = 0; // tells a repeat from a conflict; over the body as the caller sent it
    std::string name;            // event_name
    std::string event_id;
    std::string body;
};

// An event on its way out.
struct stored_event : new_event {
    sequence number = 0;
    bool sending_marked = false; // a durable `sending` mark stands: the last attempt's end is not known
};

} // namespace linkrunner::spool
