// GET /v1/queue and /v1/queue/<number>: events that wait. Lives on the loop's thread.
#pragma once

#include "env/clock.hpp"
#include "net/message.hpp"
#include "spool/caretaker.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::control {

// A page; parameters from, limit, lane, event_name, event_id, older_than.
void list_pending(spool::caretaker& spool, const std::vector<std::string>& lanes, wall_time now,
                  std::string_view query, const net::responder& answer);

// One of them, with its body.
void show_pending(spool::caretaker& spool, const std::vector<std::string>& lanes, spool::sequence number,
                  const net::responder& answer);

// {"number": 7, "lane": ..., "event_name": ..., "user": ..., ...}
void append_pending(std::string& out, const spool::pending_event& one, const std::vector<std::string>& lanes,
                    bool with_body);

// user_id, or install_instance_id, of an event as it is sent; empty where there is none.
std::string user_of(std::string_view body);

// The answer where the spool has failed.
net::response spool_failed(const error& why);

} // namespace linkrunner::control
