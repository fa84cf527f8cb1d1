// The settings while they are put together from their sources, with the place that each value came from.
#pragma once

#include "config/expand.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::config {

struct place {
    std::string where;  // for problems: "linkrunnerd.yaml:12:5"
    std::string origin; // for people: "linkrunnerd.yaml:12"
};

struct assembly {
    settings values;
    std::map<std::string, place, std::less<>> places; // of the keys that are not at their default
    std::vector<problem> problems;
    std::vector<std::string> notes;

    bool is_set(std::string_view name) const { return places.contains(name); }

    // Adds a problem at the place where the key was set ("configuration" if nowhere): "<name>: <message>".
    void complain(std::string_view name, const std::string& message) {
        const auto found = places.find(name);
        problems.push_back({found == places.end() ? "configuration" : found->second.where,
                            std::string(name) + ": " + message});
    }
};

// Each source in the order of precedence: a later one overrides.
void apply_file(assembly& into, const std::string& file, const lookup& environment);
void apply_environment(assembly& into, const std::vector<std::pair<std::string, std::string>>& variables);
void apply_overrides(assembly& into, const std::vector<std::string>& overrides);

// Defaults that depend on the surroundings: STATE_DIRECTORY, HTTPS_PROXY.
void apply_surroundings(assembly& into, const lookup& environment);

} // namespace linkrunner::config
