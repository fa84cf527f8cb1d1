// Numbers, times and tables as people read them in a terminal. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::ctl {

std::string count_text(std::uint64_t number);                      // "1,203,332"
std::string bytes_text(std::uint64_t bytes);                       // "14.2 MiB"
std::string rate_text(double per_second);                          // "29/s", "0.5/s"
std::string seconds_text(std::optional<double> seconds);           // "5m50s"; "unknown" where there is none
std::string percent_text(std::uint64_t part, std::uint64_t whole); // "1%"

// What came from outside, fit for a terminal: no control characters, so no escape sequences; bytes that are
// no UTF-8 become '?'.
std::string printable(std::string_view text);

// At most so many columns, with "..." where something is missing. Counts characters as one column each.
std::string clipped(std::string_view text, std::size_t columns);
std::size_t columns_of(std::string_view text);

// "2026-11-23T15:56:11.275Z" as seconds before `now` (seconds since 1970); nothing where it is no such time.
std::optional<double> age_of(std::string_view utc_time, double now);

// Columns as wide as they need to be; the last one is cut at `width`.
class table {
  public:
    struct column {
        std::string title;
        bool right = false; // numbers
    };
    explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool empty() const { return rows_.empty(); }
    std::string text(std::size_t width, std::string_view indent = "") const;

  private:
    std::vector<column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace linkrunner::ctl
