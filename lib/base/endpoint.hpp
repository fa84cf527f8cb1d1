// The calls of the Linkrunner API that events are delivered to. The numbers are stored on disk.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace linkrunner {

enum class endpoint : std::uint8_t { capture_event = 0, capture_payment = 1, remove_payment = 2 };

inline constexpr int endpoint_count = 3;

// The paths below the base URL, as https://docs.linkrunner.io names them.
inline constexpr std::array<std::string_view, endpoint_count> endpoint_paths = {
    "/capture-event", "/capture-payment", "/remove-payment"};

constexpr std::string_view path_of(endpoint which) noexcept {
    return endpoint_paths[static_cast<std::size_t>(which)];
}

// The path without its slash: how a payment is called where an event has its event_name.
constexpr std::string_view name_of(endpoint which) noexcept {
    return path_of(which).substr(1);
}

constexpr std::optional<endpoint> endpoint_named(std::string_view name) noexcept {
    for (std::size_t i = 0; i < endpoint_paths.size(); ++i) {
        if (endpoint_paths[i].substr(1) == name) {
            return static_cast<endpoint>(i);
        }
    }
    return std::nullopt;
}

} // namespace linkrunner
