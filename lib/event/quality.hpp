// What the Linkrunner API asks of an event beyond its syntax, caught at intake, where the developer can see
// it: the API would swallow it or count it wrongly (docs/data-quality.md has an example of each rule). The
// facts are those of https://docs.linkrunner.io.
#pragma once

#include "event/pattern.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

enum class rule : std::uint8_t {
    amount_as_string,   // event_data.amount is a string that holds a number
    amount_not_number,  // event_data.amount is no number, and no string that holds one
    name_style,         // event_name is not in snake_case
    documented_name,    // event_name is a documented one but for case, hyphens or spaces
    long_field,         // a key of event_data over 128 characters or a text in it over 256: not filterable
    placeholder_user,   // user_id is what a program writes that has none: "null", "undefined", "{{user_id}}"
    missing_amount,     // the name speaks of revenue and there is no event_data.amount
    payment_event,      // event_data has an amount and a payment_id: capture-payment is for that
    missing_payment_id, // a payment without payment_id, which the API cannot tell from another
    payment_type,       // a payment's type is not a documented one
    payment_status      // nor its status
};
inline constexpr std::size_t rule_count = 11;

enum class action : std::uint8_t { off, warn, fix, reject };

// A rule's word, the same in answers, metrics, configuration and documentation.
std::string_view word_for(rule which) noexcept;

struct actions {
    std::array<action, rule_count> all{};

    action& operator[](rule which) { return all[static_cast<std::size_t>(which)]; }
    action operator[](rule which) const { return all[static_cast<std::size_t>(which)]; }
    bool operator==(const actions&) const = default;
};

// What a rule found in an event that was taken all the same.
struct finding {
    rule which{};
    bool fixed = false; // the event goes on changed
    std::string message;
    std::string pointer; // RFC 6901
};

// An event_name that consists of words of a-z and 0-9 joined by single underscores.
bool is_snake_case(std::string_view name) noexcept;

// The name in snake_case: words end where a capital letter follows a small one or a digit ("userID" ->
// "user_id"), before the last of several capitals that a small letter follows ("HTTPError" -> "http_error"),
// and at each byte of ASCII that is no letter or digit. Empty when nothing is left or when the name holds
// other than ASCII, which has no rule.
std::string to_snake_case(std::string_view name);

// The documented name that differs from `name` only by case, hyphens or spaces; empty when there is none, and
// for a documented name itself.
std::string_view documented_name_like(std::string_view name);

// The number that a text holds, as JSON and with all its digits: what is left of the text without whitespace
// around it and a leading plus. Empty when that is no JSON number, or more than a double can hold.
std::string number_in(std::string_view text);

bool is_placeholder(std::string_view user_id);

// The documented ones (https://docs.linkrunner.io/api-reference/revenue-tracking).
bool is_payment_type(std::string_view type) noexcept;
bool is_payment_status(std::string_view status) noexcept;

} // namespace linkrunner::event
