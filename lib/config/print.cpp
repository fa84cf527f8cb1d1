#include "config/key.hpp"
#include "config/load.hpp"
#include "config/outline.hpp"
#include "config/value.hpp"

#include <map>

namespace linkrunner::config {
namespace {

constexpr std::string_view mask = "********";

// "http://user:password@host" -> "http://user:********@host". The last @ ends the user information, so that
// a password with an unescaped one is masked whole.
std::string with_masked_password(const std::string& url) {
    const std::size_t scheme = url.find("://");
    const std::size_t at = url.rfind('@');
    if (scheme == std::string::npos || at == std::string::npos || at < scheme) {
        return url;
    }
    const std::size_t colon = url.find(':', scheme + 3);
    const std::size_t hidden = colon < at ? colon + 1 : scheme + 3;
    return url.substr(0, hidden) + std::string(mask) + url.substr(at);
}

} // namespace

std::string print_shown(const key& which, settings& from) {
    if (which.name == "upstream.proxy") {
        return print_text(with_masked_password(from.upstream.proxy));
    }
    return print_value(which.at(from), which.form);
}

std::string print(const loaded& configuration) {
    settings values = configuration.values; // slots are writable, the configuration is not
    const std::map<std::string_view, std::string_view> origins(configuration.origins.begin(),
                                                               configuration.origins.end());
    const auto origin_of = [&](std::string_view name) {
        const auto found = origins.find(name);
        return std::string(found == origins.end() ? "default" : found->second);
    };
    std::string out;
    outline lines;
    for (const key& each : keys()) {
        const std::string start = lines.enter(out, each.name);
        out += start + ": " + print_shown(each, values) + " # " + origin_of(each.name) + "\n";
        if (each.name == "upstream.server_key_file" && !values.server_key.empty()) {
            out +=
                "  # the server key: " + std::string(mask) + " (" + origin_of("upstream.server_key") + ")\n";
        }
    }
    return out;
}

} // namespace linkrunner::config
