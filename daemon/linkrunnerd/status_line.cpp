#include "status_line.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace linkrunner::daemon {

namespace {

constexpr std::size_t longest_reason_bytes = 300;

// 1204 as "1,204".
std::string grouped(std::uint64_t number) {
    std::string out = std::to_string(number);
    for (std::size_t at = out.size(); at > 3;) {
        at -= 3;
        out.insert(at, ",");
    }
    return out;
}

std::string per_second(double rate) {
    char text[40];
    std::snprintf(text, sizeof text, "%.10g/s", std::round(rate * 10) / 10);
    return text;
}

std::string in_one_line(std::string_view words) {
    const bool cut = words.size() > longest_reason_bytes;
    std::string out(words.substr(0, longest_reason_bytes));
    std::ranges::replace_if(
        out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    return as_utf8(out) + (cut ? "..." : "");
}

} // namespace

std::string status_line(const line_facts& facts) {
    std::string out = std::string(facts.state) + ": " + grouped(facts.waiting) + " waiting";
    if (facts.state == "healthy" || facts.state == "draining") {
        out += ", " + per_second(facts.rate_per_second) + ", " + grouped(facts.delivered_last_minute) +
               " delivered in the last minute";
    } else if (!facts.reason.empty()) {
        out += "; " + in_one_line(facts.reason);
    }
    if (!facts.refusing.empty()) {
        out += "; new events are refused: " + std::string(facts.refusing);
    }
    return out;
}

} // namespace linkrunner::daemon
