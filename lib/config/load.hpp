// From files, environment and command line to settings, or a list of every problem found.
#pragma once

#include "base/error.hpp"
#include "config/settings.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace linkrunner::config {

struct sources {
    std::string file;                   // "" : no file
    std::vector<std::string> overrides; // from --set: "upstream.url=http://..."
    // Looks up an environment variable; injected for tests.
    std::function<std::optional<std::string>(const std::string&)> environment;
    // All names with the prefix LINKRUNNERD_, for overrides such as LINKRUNNERD_UPSTREAM__URL.
    std::vector<std::pair<std::string, std::string>> environment_overrides;
    bool without_secrets = false; // leave the files of secrets alone: for what needs none
};

// The process's own environment.
sources from_process(std::string file, std::vector<std::string> overrides);

struct problem {
    std::string where;   // "linkrunnerd.yaml:12:5", "--set upstream.url", "environment LINKRUNNERD_X",
                         // "configuration" for what is set nowhere
    std::string message; // "unknown key 'upstream.ulr'; did you mean 'upstream.url'?"
};

struct loaded {
    settings values;
    std::vector<std::string> notes; // worth a warning, not an error
    std::vector<std::pair<std::string, std::string>>
        origins; // dotted key -> where it was set ("default" else)
};

std::variant<loaded, std::vector<problem>> load(const sources& from);

// The result as YAML with the origin of each value as a comment; secrets as "********".
std::string print(const loaded& configuration);

// Reads a server key file: trimmed, one line, printable ASCII without spaces. Errors name the file and what
// is wrong, never the key.
result<std::string> read_secret(const std::string& path);

} // namespace linkrunner::config
