// Finds where JSON values begin and end without reading what they mean. Private to this folder.
//
// Whether the text is JSON at all is not decided here (syntax.hpp does): these functions never read past
// `end` whatever the bytes are, and on valid JSON (RFC 8259) their answers are right.
#pragma once

#include <string_view>

namespace linkrunner::event::scan {

// The four bytes that RFC 8259 section 2 calls whitespace.
constexpr bool is_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

inline const char* skip_space(const char* p, const char* end) noexcept {
    while (p != end && is_space(*p)) {
        ++p;
    }
    return p;
}

std::string_view trim(std::string_view text) noexcept;

// From an opening quote to behind the closing one; nullptr where there is none.
const char* skip_string(const char* p, const char* end) noexcept;

// From the first byte of a value to behind its last; nullptr where a string or container does not end. A
// place where no value begins (a comma, a closing bracket, whitespace, `end`) is its own answer.
const char* skip_value(const char* p, const char* end) noexcept;

// Calls on_member(key, value) for the members of the object that opens at `p` and returns the place behind
// its closing brace. `key` is the literal with its quotes, `value` the place of the value's first byte;
// on_member returns the place behind the value. Only for text that is known to be valid.
template <class OnMember>
const char* for_each_member(const char* p, const char* end, OnMember on_member) {
    p = skip_space(p + 1, end);
    while (*p != '}') {
        const char* const key = p;
        p = skip_string(p, end);
        const std::string_view literal(key, static_cast<std::size_t>(p - key));
        p = skip_space(p, end);     // to the colon
        p = skip_space(p + 1, end); // to the value
        p = skip_space(on_member(literal, p), end);
        if (*p == ',') {
            p = skip_space(p + 1, end);
        }
    }
    return p + 1;
}

} // namespace linkrunner::event::scan
