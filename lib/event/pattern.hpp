// Event name patterns, those of fnmatch(3) without flags, in the process's locale (bytes in "C"): * ? [..]
// and
// \ before a character that is meant as it is. Immutable once made, so any thread may ask.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

class pattern {
  public:
    explicit pattern(std::string text);

    // `name` holds no U+0000 (parse_event sees to that).
    bool matches(std::string_view name) const;

  private:
    // Most patterns are a name or "prefix*": those need no fnmatch and no copy of the name.
    enum class kind : std::uint8_t { literal, prefix, glob };
    kind kind_ = kind::glob;
    std::string text_; // of a prefix without its asterisk
};

// Several of them, of which any may match.
class patterns {
  public:
    patterns() = default;
    explicit patterns(const std::vector<std::string>& texts);

    bool match(std::string_view name) const;

  private:
    std::vector<pattern> all_;
};

} // namespace linkrunner::event
