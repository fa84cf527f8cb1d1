// What differs between the configuration in force and one that was read anew, key by key, for people; and
// which of it can be taken over without a restart. The table of keys says so for each key
// (docs/configuration.md shows it); in delivery.lanes only weights and patterns can change, for each stored
// event is in a lane of a number. Plain functions; any thread.
#pragma once

#include "config/load.hpp"

#include <string>
#include <vector>

namespace linkrunner::config {

struct change {
    std::string key;
    std::string before, after; // as YAML; secrets as "********"
    bool needs_restart = false;
    bool operator==(const change&) const = default;
};

// The changes, in the order of the table. In `read_anew` what needs a restart is put back to what is in
// force: what is left of it can be taken over.
std::vector<change> take_changes(const loaded& in_force, loaded& read_anew);

} // namespace linkrunner::config
