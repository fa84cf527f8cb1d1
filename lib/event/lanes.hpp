// Which lane an event belongs to, fixed when it is accepted. Rules are tried in order; the last takes all.
// Immutable once made, so any thread may ask.
#pragma once

#include "event/pattern.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

struct lane_rule {
    std::vector<std::string> names; // patterns on event_name (pattern.hpp)
    bool with_amount = false;       // also events whose event_data has an `amount`
};

class lane_rules {
  public:
    explicit lane_rules(const std::vector<lane_rule>& rules);

    // The number of the first rule that takes the event.
    std::uint8_t lane_for(std::string_view name, bool has_amount) const;

  private:
    struct compiled_rule {
        patterns names;
        bool with_amount = false;
    };
    std::vector<compiled_rule> rules_;
};

} // namespace linkrunner::event
