#include "ctl/text.hpp"

#include "base/duration.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace linkrunner::ctl {

namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
    char out[64];
    std::snprintf(out, sizeof out, format, values...);
    return out;
}

} // namespace

std::string count_text(std::uint64_t number) {
    std::string out = std::to_string(number);
    for (std::size_t at = out.size(); at > 3;) {
        at -= 3;
        out.insert(at, ",");
    }
    return out;
}

std::string bytes_text(std::uint64_t bytes) {
    static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(units); ++unit) {
        value /= 1024;
    }
    return formatted(unit == 0 || value == std::floor(value) ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

std::string rate_text(double per_second) {
    return formatted(per_second >= 100 || per_second == std::floor(per_second) ? "%.0f/s" : "%.3g/s",
                     per_second);
}

std::string seconds_text(std::optional<double> seconds) {
    if (!seconds) {
        return "unknown";
    }
    const double whole = std::max(0.0, *seconds);
    return format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(whole * 1000)));
}

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
    const double share = whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
    return part > 0 && whole > 0 && share < 1 ? "under 1%" : formatted("%.0f%%", share);
}

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = character_bytes(text);
        const auto first = static_cast<unsigned char>(text[0]);
        // C0, DEL, and C1, which some terminals obey as well (ECMA-48).
        const bool control = first < 0x20 || first == 0x7F ||
                             (length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0);
        if (length == 0 || control) {
            out += '?';
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string clipped(std::string_view text, std::size_t columns) {
    if (columns_of(text) <= columns) {
        return std::string(text);
    }
    const std::size_t kept = columns > 3 ? columns - 3 : columns;
    std::string out;
    for (std::size_t count = 0; count < kept && !text.empty(); ++count) {
        const std::size_t length = std::max<std::size_t>(character_bytes(text), 1);
        out += text.substr(0, length);
        text.remove_prefix(length);
    }
    return columns > 3 ? out + "..." : out;
}

std::optional<double> age_of(std::string_view utc_time, double now) {
    int year = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0;
    double second = 0;
    if (std::sscanf(std::string(utc_time).c_str(), "%4d-%2u-%2uT%2u:%2u:%lfZ", &year, &month, &day, &hour,
                    &minute, &second) != 6) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(day)};
    const double days = static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
    return now - (days * 86400 + hour * 3600 + minute * 60 + second);
}

std::string table::text(std::size_t width, std::string_view indent) const {
    std::vector<std::size_t> widths;
    for (std::size_t at = 0; at < columns_.size(); ++at) {
        widths.push_back(columns_of(columns_[at].title));
        for (const auto& row : rows_) {
            widths[at] = std::max(widths[at], columns_of(row[at]));
        }
    }
    std::string out;
    const auto line = [&](const auto& cell) {
        std::string made(indent);
        for (std::size_t at = 0; at < columns_.size(); ++at) {
            const std::string text = cell(at);
            const std::string fill(widths[at] - columns_of(text), ' ');
            made += at == 0 ? "" : "  ";
            made += columns_[at].right ? fill + text : text + fill;
        }
        while (made.ends_with(' ')) {
            made.pop_back();
        }
        out += clipped(made, width) + "\n";
    };
    line([&](std::size_t at) { return columns_[at].title; });
    for (const auto& row : rows_) {
        line([&](std::size_t at) { return row[at]; });
    }
    return out;
}

} // namespace linkrunner::ctl
