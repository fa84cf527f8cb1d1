#include "base/duration.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace linkrunner {

namespace {

struct unit {
    std::string_view name;
    double milliseconds;
};

constexpr std::array<unit, 5> units = {{{"ms", 1.0}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    double number = 0;
    const auto [rest, failure] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (failure != std::errc{}) {
        return std::nullopt;
    }
    const std::string_view name = text.substr(static_cast<std::size_t>(rest - text.data()));
    for (const unit& known : units) {
        if (name == known.name) {
            const double value = number * known.milliseconds;
            if (!(value >= 0) || value > 9e15) {
                return std::nullopt;
            }
            return std::chrono::milliseconds(std::llround(value));
        }
    }
    return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds length) {
    const auto total = static_cast<long long>(length.count());
    const long long seconds = total / 1000;
    std::array<char, 48> text{};
    const auto print = [&](const char* format, auto... values) {
        std::snprintf(text.data(), text.size(), format, values...);
        return std::string(text.data());
    };
    if (total < 1000) {
        return print("%lldms", total);
    }
    if (seconds < 60) {
        return total % 1000 == 0 ? print("%llds", seconds) : print("%.1fs", static_cast<double>(total) / 1e3);
    }
    if (seconds < 3600) {
        return print("%lldm%02llds", seconds / 60, seconds % 60);
    }
    if (seconds < 86400) {
        return print("%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
    }
    return print("%lldd%lldh", seconds / 86400, seconds / 3600 % 24);
}

} // namespace linkrunner
