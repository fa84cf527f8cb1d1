// One log line's words: message and fields as text ("message key=value") or as members of a JSON object.
// Pure. Nothing that a value holds can end the line, start another field or move a terminal's cursor:
// control characters, C1 controls, line separators, bidirectional overrides and bytes that are not UTF-8 are
// escaped. Values longer than 2048 bytes are cut and end in "...".
#pragma once

#include "telemetry/log.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace linkrunner::log {

// Text: `message key=value key2="with space"`.
std::string text_line(std::string_view message, std::initializer_list<field> fields,
                      std::uint64_t suppressed = 0);

// JSON: `"msg":"message","key":"value","key2":3`, without the braces. RFC 8259; bytes that are not UTF-8
// become U+FFFD, numbers that JSON does not know ("nan", "inf") strings.
std::string json_members(std::string_view message, std::initializer_list<field> fields,
                         std::uint64_t suppressed = 0);

// The value of a field alone: not escaped, cut as in the lines.
std::string value_text(const field& each);

} // namespace linkrunner::log
