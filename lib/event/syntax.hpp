// Whether a text is JSON (RFC 8259), as Boost.JSON judges it: strict, valid UTF-8, nesting within bounds.
// Private to this folder.
#pragma once

#include "event/event.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::event {

// `code` is malformed_json, invalid_utf8 or too_deep; `offset` is the byte where it shows.
struct syntax_error {
    std::string_view code;
    std::string message;
    std::size_t offset = 0;
};

// Nothing when `text` is exactly one JSON value with whitespace around it.
std::optional<syntax_error> check_syntax(std::string_view text, std::size_t max_depth);

// The error as the refusal of a body in which the checked text began at `base`.
violation located(const syntax_error& found, std::string_view body, std::size_t base = 0);

// The text that a valid string literal (with its quotes) stands for.
std::string unescape(std::string_view literal);

} // namespace linkrunner::event
