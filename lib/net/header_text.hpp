// Writes header lines. Room-internal.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace linkrunner::net {

inline void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

// Line ends inside a value become spaces: no value can add a header.
inline void append_value(std::string& out, std::string_view value) {
    constexpr std::string_view forbidden("\r\n\0", 3);
    if (value.find_first_of(forbidden) == std::string_view::npos) {
        out += value;
        return;
    }
    for (const char c : value) {
        out += forbidden.find(c) == std::string_view::npos ? c : ' ';
    }
}

inline void append_header(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    append_value(out, value);
    out += "\r\n";
}

} // namespace linkrunner::net
