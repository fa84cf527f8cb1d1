// The environment variables of systemd's protocols. Room-internal; before other threads are started.
#pragma once

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

namespace linkrunner::net {

inline std::string_view environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

template <class Number>
std::optional<Number> environment_number(const char* name) {
    const auto text = environment_variable(name);
    Number made{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), made);
    if (failure != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return made;
}

} // namespace linkrunner::net
