#include "config/load.hpp"

#include "config/assembly.hpp"
#include "config/check.hpp"
#include "config/key.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace linkrunner::config {

sources from_process(std::string file, std::vector<std::string> overrides) {
    sources out;
    out.file = std::move(file);
    out.overrides = std::move(overrides);
    out.environment = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
        const std::string_view entry(*each);
        const std::size_t equals = entry.find('=');
        if (entry.starts_with("LINKRUNNERD_") && equals != std::string_view::npos) {
            out.environment_overrides.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
        }
    }
    std::sort(out.environment_overrides.begin(), out.environment_overrides.end());
    return out;
}

std::variant<loaded, std::vector<problem>> load(const sources& from) {
    // Without a lookup there is no variable at all, and references must still be resolved, to nothing.
    const lookup environment =
        from.environment ? from.environment : lookup([](const std::string&) { return std::nullopt; });
    assembly all;
    if (!from.file.empty()) {
        apply_file(all, from.file, environment);
    }
    apply_environment(all, from.environment_overrides);
    apply_overrides(all, from.overrides);
    apply_surroundings(all, environment);
    check_listeners(all);
    check_upstream(all);
    check_lanes(all);
    check_events(all);
    check_bounds(all);
    if (!from.without_secrets) {
        resolve_secrets(all, environment);
    }
    if (!all.problems.empty()) {
        return std::move(all.problems);
    }
    loaded out;
    out.values = std::move(all.values);
    out.notes = std::move(all.notes);
    const auto origin_of = [&](std::string_view name) {
        const auto found = all.places.find(name);
        return found == all.places.end() ? std::string("default") : found->second.origin;
    };
    for (const key& each : keys()) {
        out.origins.emplace_back(each.name, origin_of(each.name));
    }
    out.origins.emplace_back("upstream.server_key", origin_of("upstream.server_key"));
    return out;
}

} // namespace linkrunner::config
