// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace linkrunner {

// The length of the character at the beginning of a text that is not empty, 0 where there is none.
std::size_t character_bytes(std::string_view text);

// The text with every byte that is not UTF-8 replaced by U+FFFD: it may have been cut within a character.
std::string as_utf8(std::string_view text);

} // namespace linkrunner
