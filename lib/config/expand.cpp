#include "config/expand.hpp"

#include "config/units.hpp"

#include <algorithm>
#include <cctype>

namespace linkrunner::config {
namespace {

bool is_name(std::string_view text) {
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
           std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// What stands between the braces.
result<std::string> value_of(std::string_view reference, const lookup& environment) {
    const std::size_t mark = reference.find(":-");
    const std::string name(reference.substr(0, mark));
    if (!is_name(name)) {
        return make_error(std::errc::invalid_argument,
                          quote("${" + std::string(reference) + "}") +
                              " is not a reference to an environment variable; "
                              "write ${NAME}, ${NAME:-otherwise}, or $$ for a $");
    }
    const auto found = environment ? environment(name) : std::nullopt;
    if (mark != std::string_view::npos) {
        return found && !found->empty() ? *found : std::string(reference.substr(mark + 2));
    }
    if (!found) {
        return make_error(std::errc::invalid_argument, "environment variable " + name +
                                                           " is not set; set it, or write ${" + name +
                                                           ":-otherwise}");
    }
    return *found;
}

} // namespace

result<std::string> expand(std::string_view text, const lookup& environment) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view rest = text.substr(i);
        if (rest.starts_with("$$")) {
            out += '$';
            ++i;
        } else if (rest.starts_with("${")) {
            const std::size_t end = rest.find('}');
            if (end == std::string_view::npos) {
                return make_error(std::errc::invalid_argument, "\"${\" without \"}\"; write $$ for a $");
            }
            auto value = value_of(rest.substr(2, end - 2), environment);
            if (value.has_error()) {
                return value;
            }
            out += *value;
            i += end;
        } else {
            out += text[i];
        }
    }
    return out;
}

} // namespace linkrunner::config
