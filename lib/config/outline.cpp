#include "config/outline.hpp"

namespace linkrunner::config {

std::string outline::enter(std::string& out, std::string_view name) {
    const std::string section(name.substr(0, name.rfind('.') + 1));
    std::string indent;
    for (std::size_t at = 0; at < section.size();) {
        const std::size_t dot = section.find('.', at);
        if (!open_.starts_with(section.substr(0, dot + 1))) {
            out += indent + section.substr(at, dot - at) + ":\n";
        }
        indent += "  ";
        at = dot + 1;
    }
    open_ = section;
    return indent + std::string(name.substr(section.size()));
}

} // namespace linkrunner::config
