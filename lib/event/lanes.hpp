// Which lane an event belongs to, fixed when it is accepted. Rules are tried in order; the last takes all.
// Patterns are those of fnmatch(3) without flags, in the process's locale (bytes in "C"): * ? [..] and
// \ before a character that is meant as it is. Immutable once made, so any thread may ask.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

struct lane_rule {
    std::vector<std::string> names; // glob patterns on event_name
    bool with_amount = false;       // also events whose event_data has an `amount`
};

class lane_rules {
  public:
    explicit lane_rules(std::vector<lane_rule> rules);

    // The number of the first rule that takes the event. `name` holds no U+0000 (parse_event sees to that).
    std::uint8_t lane_for(std::string_view name, bool has_amount) const;

  private:
    // Most patterns are a name or "prefix*": those need no fnmatch and no copy of the name.
    class pattern {
      public:
        explicit pattern(std::string text);
        bool matches(std::string_view name) const;

      private:
        enum class kind : std::uint8_t { literal, prefix, glob };
        kind kind_ = kind::glob;
        std::string text_; // of a prefix without its asterisk
    };
    struct compiled_rule {
        std::vector<pattern> names;
        bool with_amount = false;
    };
    std::vector<compiled_rule> rules_;
};

} // namespace linkrunner::event
