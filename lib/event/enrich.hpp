// Adds members to event_data that the caller did not send: constants, the name of the host, the time of
// intake (the API has no timestamp of its own). Immutable once made, so any thread may use it.
#pragma once

#include "event/pattern.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

class edits;
struct fields;

struct addition {
    std::string key;
    std::string value;
    std::vector<std::string> names; // events that get it, patterns on event_name; empty: all
};

class enricher {
  public:
    enricher() = default;
    // `stamp`: the key for the time of intake; empty: none. `overwrite`: what the caller sent under such a
    // key is replaced; else it stays.
    enricher(const std::vector<addition>& all, const std::string& stamp, bool overwrite);

    bool empty() const noexcept { return all_.empty(); }
    bool stamps() const noexcept { return stamps_; }

    // `object` is the event that `found` was found in; `time` is written for the stamp.
    void apply(std::string_view object, const fields& found, std::string_view event_name,
               std::string_view time, edits& out) const;

  private:
    struct compiled {
        std::string key;
        std::string value; // JSON; empty for the stamp
        bool every_name = true;
        patterns names;
    };
    std::vector<compiled> all_;
    bool overwrite_ = false;
    bool stamps_ = false;
};

} // namespace linkrunner::event
