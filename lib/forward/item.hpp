// An event in the forwarder's memory, from its read to its end. Room-internal.
#pragma once

#include "forward/forwarder.hpp"

namespace linkrunner::forward {

struct forwarder::item {
    spool::stored_event event;
    std::uint32_t attempt = 0;
    bool marked_sending = false;
    bool in_flight = false;
    bool held_back = false; // the spool may be dropping it: not to be sent now
    // Of the last attempt that ended, for the dead letter.
    int last_status = 0;
    wall_time last_attempt{};
    std::string excerpt;
};

// What the scheduler is told of the end of an attempt.
delivery::attempt_end facts_of(const net::answer& how);

inline telemetry::event_view event_view_of(const spool::stored_event& event) {
    return {event.number, event.lane, event.accepted_at, event.event_id, event.name, event.body};
}

} // namespace linkrunner::forward
