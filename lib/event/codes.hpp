// The stable words by which a refused event is named, in answers and in metrics. docs/intake-json.md says
// when each is used; programs compare them, so a word never changes its meaning.
#pragma once

#include <string_view>

namespace linkrunner::event::codes {

// The text itself.
inline constexpr std::string_view malformed_json = "malformed_json";
inline constexpr std::string_view invalid_utf8 = "invalid_utf8";
inline constexpr std::string_view too_deep = "too_deep";
inline constexpr std::string_view event_too_large = "event_too_large";
inline constexpr std::string_view not_an_object = "not_an_object";

// A field of the event.
inline constexpr std::string_view missing_field = "missing_field";
inline constexpr std::string_view empty_field = "empty_field";
inline constexpr std::string_view mistyped_field = "mistyped_field";
inline constexpr std::string_view duplicate_field = "duplicate_field";
inline constexpr std::string_view field_too_long = "field_too_long";
inline constexpr std::string_view forbidden_character = "forbidden_character";

// A remove-payment that would remove all payments of a user.
inline constexpr std::string_view remove_all_payments = "remove_all_payments";

} // namespace linkrunner::event::codes
