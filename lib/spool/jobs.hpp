// What the store is asked to do, in one piece each, with room for the answer.
#pragma once

#include "spool/queue.hpp"

#include <vector>

namespace linkrunner::spool {

struct append_job {
    std::vector<new_event> events;
    result<std::vector<appended>> outcome;
    bool may_wait = false; // where room can be made for it by dropping, it need not be refused
    bool waits = false;    // then: no outcome yet, to be committed again after store::drop()
};

struct mark_job {
    std::vector<mark> marks;
    bool durable = false; // the job asks for an fdatasync that holds its marks
    result<void> outcome; // of durable ones
};

struct number_range {
    sequence first = 0;
    sequence last = 0; // one past
    bool operator==(const number_range&) const = default;
};

} // namespace linkrunner::spool
