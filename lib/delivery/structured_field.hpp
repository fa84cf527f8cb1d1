// Lists and dictionaries of structured fields (RFC 9651), as far as rate limits use them: members are items
// with parameters. A dictionary is a list whose members have keys. Inner lists are not known here, so that a
// field with one is malformed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linkrunner::delivery {

struct bare_item {
    enum class kind : std::uint8_t {
        integer,
        text,
        other
    }; // a string or token; a decimal, date, boolean, bytes
    kind what = kind::other;
    std::int64_t number = 0;
    std::string text;

    std::optional<std::uint64_t> count() const; // an integer that is not negative
};

struct field_member {
    std::string key; // of a dictionary; "" in a list
    bare_item item;
    std::vector<std::pair<std::string, bare_item>> parameters;

    const bare_item* parameter(std::string_view name) const; // the last of its name; null where absent
};

// Nothing when it is malformed.
std::optional<std::vector<field_member>> parse_structured_field(std::string_view field);

} // namespace linkrunner::delivery
