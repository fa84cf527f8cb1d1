// How far `send` is, as one line that is drawn over and over. Pure, but for the drawing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace linkrunner::ctl {

struct progress_facts {
    std::uint64_t read_bytes = 0;
    std::uint64_t total_bytes = 0; // 0: not known
    std::uint64_t accepted = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t rejected = 0;
    double lines_per_second = 0;
    std::optional<double> seconds_left;
    std::string waiting; // why nothing is sent at present; empty while it is
};

// "[#####.....]  42%  1,234/s  3m20s left  12,000 accepted, 3 rejected", at most so many columns.
std::string progress_line(const progress_facts& facts, std::size_t width);

// Speed over the last seconds, and with it the time that is left.
class speedometer {
  public:
    using time = std::chrono::steady_clock::time_point;
    void note(time now, std::uint64_t lines, std::uint64_t bytes);
    double lines_per_second() const;
    std::optional<double> seconds_left(std::uint64_t bytes_left) const;

  private:
    struct sample {
        time at;
        std::uint64_t lines;
        std::uint64_t bytes;
    };
    double span_seconds() const;
    std::deque<sample> samples_;
};

// Draws to standard error when that is a terminal, at most ten times a second, and wipes its line at the end.
class progress_display {
  public:
    progress_display();
    ~progress_display() { clear(); }
    void show(const progress_facts& facts, bool at_once = false);
    void clear();

  private:
    bool terminal_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point last_{};
};

} // namespace linkrunner::ctl
