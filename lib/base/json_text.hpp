// JSON written straight into a string, for answers that are too frequent for a document tree.
#pragma once

#include <string>
#include <string_view>

namespace linkrunner {

// Appends `text` as a JSON string with its quotes. The text must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

} // namespace linkrunner
