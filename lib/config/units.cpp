#include "config/units.hpp"

#include "base/duration.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace linkrunner::config {
namespace {

error invalid(std::string message) {
    return make_error(std::errc::invalid_argument, std::move(message));
}

struct unit {
    std::string_view name;
    std::uint64_t value;
};

constexpr std::array<unit, 10> size_units = {{{"TiB", std::uint64_t{1} << 40},
                                              {"TB", 1'000'000'000'000},
                                              {"GiB", 1 << 30},
                                              {"GB", 1'000'000'000},
                                              {"MiB", 1 << 20},
                                              {"MB", 1'000'000},
                                              {"KiB", 1024},
                                              {"kB", 1000},
                                              {"KB", 1000},
                                              {"B", 1}}};

constexpr std::array<unit, 5> length_units = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

// The number at the start of `text` and what follows it.
struct leading {
    double number = 0;
    std::string_view rest;
    bool found = false;
};

leading leading_number(std::string_view text) {
    leading out;
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), out.number, std::chars_format::fixed);
    out.found = failure == std::errc{} && std::isfinite(out.number) && out.number >= 0;
    out.rest = text.substr(static_cast<std::size_t>(end - text.data()));
    return out;
}

// The number of the value with the unit that was probably meant, for the example in a message.
std::string example(std::string_view text, std::string_view unit, std::string_view otherwise) {
    const leading start = leading_number(text);
    if (!start.found || start.number <= 0 || start.number > 1e9) {
        return std::string(otherwise);
    }
    return print_number(start.number) + std::string(unit);
}

template <std::size_t Count>
std::string largest_exact(std::uint64_t value, const std::array<unit, Count>& units, std::string_view zero) {
    for (const unit& each : units) {
        if (value != 0 && value % each.value == 0) {
            return std::to_string(value / each.value) + std::string(each.name);
        }
    }
    return std::string(zero);
}

} // namespace

std::string quote(std::string_view text) {
    constexpr std::size_t longest = 60;
    std::string out = "\"";
    for (const char c : text.substr(0, longest)) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(c));
            out += escape;
        } else {
            out += c;
        }
    }
    out += text.size() > longest ? "\"..." : "\"";
    return out;
}

result<bool> parse_flag(std::string_view text) {
    if (text == "true" || text == "True" || text == "TRUE") {
        return true;
    }
    if (text == "false" || text == "False" || text == "FALSE") {
        return false;
    }
    return invalid(quote(text) + " is neither true nor false");
}

result<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) {
        return invalid(quote(text) + " is not a whole number");
    }
    return number;
}

result<double> parse_number(std::string_view text) {
    const leading start = leading_number(text);
    if (!start.found || !start.rest.empty()) {
        return invalid(quote(text) + " is not a number");
    }
    return start.number;
}

result<unsigned> parse_mode(std::string_view text) {
    unsigned mode = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (failure != std::errc{} || end != text.data() + text.size() || mode > 0777) {
        return invalid(quote(text) + " is not a file mode; give octal digits, for example \"0660\"");
    }
    return mode;
}

result<std::chrono::milliseconds> parse_length(std::string_view text) {
    if (const auto length = parse_duration(text)) {
        return *length;
    }
    return invalid(quote(text) + " is not a duration; give a number with a unit, for example " +
                   example(text, "s", "30s") + " (units: ms, s, m, h, d)");
}

std::string print_length(std::chrono::milliseconds length) {
    return largest_exact(static_cast<std::uint64_t>(length.count()), length_units, "0s");
}

result<std::uint64_t> parse_size(std::string_view text) {
    const leading start = leading_number(text);
    for (const unit& each : size_units) {
        const double bytes = start.number * static_cast<double>(each.value);
        if (start.found && start.rest == each.name && bytes < 9e18) {
            // Whole numbers are exact beyond 2^53, too.
            if (const auto whole = parse_count(text.substr(0, text.size() - each.name.size()))) {
                return *whole * each.value;
            }
            return static_cast<std::uint64_t>(std::llround(bytes));
        }
    }
    return invalid(quote(text) + " is not a size; give a number with a unit, for example " +
                   example(text, "MiB", "64KiB") + " (units: B, kB, MB, GB, TB; KiB, MiB, GiB, TiB)");
}

std::string print_size(std::uint64_t bytes) {
    return largest_exact(bytes, size_units, "0B");
}

result<double> parse_rate(std::string_view text) {
    const leading start = leading_number(text);
    if (start.found && start.rest == "/s") {
        return start.number;
    }
    if (start.found && start.rest == "/m") {
        return start.number / 60;
    }
    return invalid(quote(text) + " is not a rate; give a number per second or minute, for example " +
                   example(text, "/s", "29/s") + " (units: /s, /m)");
}

std::string print_number(double number) {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::fixed);
    return {text, end.ptr};
}

std::string print_mode(unsigned mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%04o", mode);
    return text;
}

} // namespace linkrunner::config
