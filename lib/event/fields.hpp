// Finds the members of an event that linkrunnerd itself reads. Private to this folder.
#pragma once

#include "event/event.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace linkrunner::event {

enum class field : std::uint8_t {
    event_name,
    user_id,
    install_instance_id,
    event_id,
    event_data,
    client_ip_address,
    // Of payments only; an event may have members of these names that mean something else.
    payment_id,
    amount,
    type,
    status
};

// Keys and texts of event_data beyond these are not filterable (https://docs.linkrunner.io, events), in
// characters.
inline constexpr std::size_t filterable_key = 128;
inline constexpr std::size_t filterable_text = 256;

inline constexpr std::array<std::string_view, 10> field_names = {
    "event_name", "user_id",    "install_instance_id",
    "event_id",   "event_data", "client_ip_address",
    "payment_id", "amount",     "type",
    "status"};

enum class value_kind : std::uint8_t { absent, null, boolean, number, string, array, object };

struct member {
    value_kind kind = value_kind::absent;
    std::string_view literal; // the value's bytes within the text

    // null says the same as leaving the member out.
    bool given() const noexcept { return kind != value_kind::absent && kind != value_kind::null; }
};

struct fields {
    std::array<member, field_names.size()> members;
    // Of event_data's own members:
    bool has_amount = false; // `amount` is there and not null
    bool has_payment_id = false;
    bool odd_amount = false; // and is no number
    bool long_field = false; // a key or a text is longer than those that can be filtered by

    const member& operator[](field which) const { return members[static_cast<std::size_t>(which)]; }
};

// `object` is a valid JSON object without whitespace around it. A member found twice is a duplicate_field.
std::variant<fields, violation> find_fields(std::string_view object, endpoint path);

// The text that a string literal stands for; `buffer` holds it where escapes must be undone.
std::string_view text_of(std::string_view literal, std::string& buffer);

value_kind kind_of(char first_of_value) noexcept;

// The text of a member: within the event's own bytes, or in `unescaped` where escapes had to be undone. Not
// to be copied or moved, because `text` may point into itself.
struct text_value {
    text_value() = default;
    text_value(const text_value&) = delete;
    text_value& operator=(const text_value&) = delete;

    std::string_view text; // empty where the member is absent or null
    std::string unescaped;
};

// Reads a member that must be a non-blank string of at most `max_bytes`, if it is given at all.
std::optional<violation> read_text(const fields& found, field which, std::size_t max_bytes, text_value& out);

// The same rules for an id that did not come from the JSON; `what` names it in messages.
std::optional<violation> check_id(std::string_view id, std::size_t max_bytes, const std::string& what);

// A member that is given must be of this kind.
std::optional<violation> check_kind(const fields& found, field which, value_kind wanted);

// The violation of one field: pointer and message begin with its name.
violation refuse_field(std::string_view code, field which, const std::string& what_is_wrong);

} // namespace linkrunner::event
