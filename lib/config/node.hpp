// A YAML document as a plain tree with places, free of the library that parsed it. Bounded: at most 1 MiB of
// text, 20,000 nodes (aliases counted each time) and 32 levels.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace linkrunner::config {

struct node {
    enum class type { none, scalar, list, map };

    type is = type::none;
    std::string text;         // of a scalar
    std::vector<node> items;  // of a list
    std::vector<node> names;  // of a map: scalars, duplicates not removed
    std::vector<node> values; // of a map: values[i] belongs to names[i]
    int line = 0;             // from 1; 0: not from a file
    int column = 0;
};

struct syntax_problem {
    int line = 0; // 0: the whole text
    int column = 0;
    std::string message;
};

// The one document of `text`; type::none when it is empty. Keys that are not scalars, several documents and
// quotes that are never closed are problems.
std::variant<node, syntax_problem> parse_yaml(const std::string& text);

} // namespace linkrunner::config
