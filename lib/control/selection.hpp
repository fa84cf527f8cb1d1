// Which dead letters a request is about: from the query of a GET, or the JSON body of a POST.
#pragma once

#include "base/error.hpp"
#include "env/clock.hpp"
#include "spool/dead_letters.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linkrunner::control {

inline constexpr std::size_t most_numbers = 10'000; // in one request

// The fields of a query string, percent-decoded, "+" as a space.
std::vector<std::pair<std::string, std::string>> query_fields(std::string_view query);

// A whole number from 1 (`from`: 0) to `most`; the moment that lies `value` (a duration, as 5m) before now.
result<void> read_number(const std::string& name, std::string_view value, std::uint64_t most,
                         std::uint64_t& into);
result<void> read_age(const std::string& name, std::string_view value, wall_time now, wall_time& into);

// reason, event_name, event_id, older_than, newer_than (of the acceptance); and from, limit where they have a
// place in `into` (limit within 1 and `most`). Errors say what is wrong with which field.
result<void> read_query(std::string_view query, spool::dead_query& into, std::size_t most, wall_time now);

// {"numbers": [7, 9]}, {"reason": "rejected", "event_name": "x", "event_id": "y", "older_than": "7d"} or
// {"all": true}. A body that selects nothing is an error: all must be asked for.
result<spool::dead_filter> read_selection(std::string_view body, wall_time now);

} // namespace linkrunner::control
