// "Did you mean": the name nearest to a mistyped one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::config {

// Letters to insert, delete, change or swap with their neighbour (optimal string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of some words, if it is near.
std::optional<std::string> nearest(std::string_view wrong, const std::vector<std::string_view>& words);

// The key or section that a dotted name was meant for: by spelling, or the same last part elsewhere.
std::optional<std::string> meant_key(std::string_view wrong);

// "; did you mean 'upstream.url'?", or nothing.
std::string did_you_mean(const std::optional<std::string>& name);

} // namespace linkrunner::config
