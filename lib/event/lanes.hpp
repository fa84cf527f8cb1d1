// Which lane an event belongs to, fixed when it is accepted. Rules are tried in order; the last takes all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

struct lane_rule {
    std::vector<std::string> names; // glob patterns on event_name (fnmatch(3): * ? [..])
    bool with_amount = false;       // also events whose event_data has an `amount`
};

class lane_rules {
  public:
    explicit lane_rules(std::vector<lane_rule> rules);
    std::uint8_t lane_for(std::string_view name, bool has_amount) const;

  private:
    std::vector<lane_rule> rules_;
};

} // namespace linkrunner::event
