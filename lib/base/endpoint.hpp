// The calls of the Linkrunner API that events are delivered to. The numbers are stored on disk.
#pragma once

#include <cstdint>
#include <string_view>

namespace linkrunner {

enum class endpoint : std::uint8_t { capture_event = 0 };

inline constexpr int endpoint_count = 1;

// The path below the base URL, as https://docs.linkrunner.io names it: "/capture-event".
constexpr std::string_view path_of(endpoint which) noexcept {
    switch (which) {
    case endpoint::capture_event:
        return "/capture-event";
    }
    return "";
}

} // namespace linkrunner
