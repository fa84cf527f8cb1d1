// Values as people write them, and back. Pure. Errors say what was expected with an example that is right;
// the caller puts the key's name before it. What is printed reads back as exactly the same value.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace linkrunner::config {

// A text in quotes for messages: control characters escaped, cut after 60 bytes.
std::string quote(std::string_view text);

result<bool> parse_flag(std::string_view text);           // true | false
result<std::uint64_t> parse_count(std::string_view text); // "10", "10_000" is not one
result<double> parse_number(std::string_view text);       // "1.5"
result<unsigned> parse_mode(std::string_view text);       // "0660", at most 0777

// "5s"; units of base/duration.hpp.
result<std::chrono::milliseconds> parse_length(std::string_view text);
std::string print_length(std::chrono::milliseconds length);

// "64KiB". Decimal: B, kB (also KB), MB, GB, TB. Binary: KiB, MiB, GiB, TiB.
result<std::uint64_t> parse_size(std::string_view text);
std::string print_size(std::uint64_t bytes);

// "29/s", "1740/m": per second.
result<double> parse_rate(std::string_view text);
std::string print_number(double number); // shortest text that reads back as the same number

std::string print_mode(unsigned mode);

} // namespace linkrunner::config
