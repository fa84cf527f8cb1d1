// GET /v1/explain and GET /v1/tail: the story of one event, and what happens as it happens. Loop's thread.
#pragma once

#include "control/journal.hpp"
#include "control/steering.hpp"
#include "net/message.hpp"
#include "spool/caretaker.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::control {

// All of it outlives the answers.
struct explain_parts {
    spool::caretaker& spool;
    const journal& stories;
    const steering& daemon;
    const std::vector<std::string>& lanes;
};

// `query`: event_id=... . Answers with what waits, what is dead, and what has ended lately.
void explain(const explain_parts& with, std::string_view query, const net::responder& answer);

// `query`: outcome=accepted,delivered,dead,failed; event_name, user_id, event_id.
void tail(journal& stories, std::string_view query, const net::responder& answer);

} // namespace linkrunner::control
