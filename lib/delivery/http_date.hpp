// The three forms of an HTTP date (RFC 9110 section 5.6.7): IMF-fixdate "Sun, 06 Nov 1994 08:49:37 GMT", and
// the obsolete "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994".
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace linkrunner::delivery {

// `near` settles the century of two-digit years: what would be more than 50 years after it is past.
// Nothing for anything that is not exactly one of the forms or not a day of the calendar.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text, std::chrono::sys_seconds near);

} // namespace linkrunner::delivery
