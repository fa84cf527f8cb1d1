// Durations as people write them: a number and a unit without a space ("250ms", "5s", "1.5h"). Units: ms, s,
// m, h, d.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner {

// Nothing when the text is not a duration, is negative, or does not fit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;

// For people: two units at most, "250ms", "4.2s", "3m20s", "5h02m", "12d3h".
std::string format_duration(std::chrono::milliseconds length);

} // namespace linkrunner
