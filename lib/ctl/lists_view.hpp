// Events that wait, dead letters and an audit, as text. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <string>

namespace linkrunner::ctl {

// `now`: seconds since 1970, for ages. `more` tells how to see the rest where there is more.
std::string letters_text(const boost::json::value& page, double now, std::size_t width);
std::string pending_text(const boost::json::value& page, double now, std::size_t width);

// One event or letter, a line for each field, its body last, as it is sent.
std::string event_text(const boost::json::value& one, const std::string& body);

// What GET /v1/explain knows.
std::string stories_text(const boost::json::value& explained, double now);

// A line of GET /v1/tail.
std::string tail_line(const boost::json::value& one);

std::string audit_text(const boost::json::value& report);

// The value of "body", the last member of an event's `data`, as the daemon sent it: numbers stay as they are.
std::string body_within(const std::string& data);

} // namespace linkrunner::ctl
