// Short words for the rows of the table of keys. Private to this folder.
#pragma once

#include "config/key.hpp"

#include <utility>
#include <vector>

namespace linkrunner::config {

// Bounds of durations are in milliseconds.
inline constexpr double second = 1'000;
inline constexpr double minute = 60 * second;
inline constexpr double hour = 60 * minute;
inline constexpr double day = 24 * hour;

inline shape plain(kind type) {
    return {type, 0, 0, {}};
}
inline shape one_of(std::vector<std::string_view> choices) {
    return {kind::choice, 0, 0, std::move(choices)};
}
inline shape within(kind type, double least, double most) {
    return {type, least, most, {}};
}
inline shape records(std::string_view form, std::size_t least, std::size_t most) {
    return {kind::records, static_cast<double>(least), static_cast<double>(most), {form}};
}

void add_events(std::vector<key>& table); // table_events.cpp

} // namespace linkrunner::config
