#include "ctl/progress.hpp"

#include "ctl/text.hpp"

#include <algorithm>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace linkrunner::ctl {

namespace {

constexpr std::size_t bar_columns = 20;
constexpr std::chrono::seconds speed_span{5};
constexpr std::chrono::milliseconds redraw{100};

} // namespace

std::string progress_line(const progress_facts& facts, std::size_t width) {
    std::string out;
    if (facts.total_bytes > 0) {
        const double share =
            std::min(1.0, static_cast<double>(facts.read_bytes) / static_cast<double>(facts.total_bytes));
        const auto full = static_cast<std::size_t>(share * bar_columns);
        char percent[16];
        std::snprintf(percent, sizeof percent, "%3.0f%%  ", share * 100);
        out = "[" + std::string(full, '#') + std::string(bar_columns - full, '.') + "] " + percent;
    } else {
        out = bytes_text(facts.read_bytes) + "  ";
    }
    if (!facts.waiting.empty()) {
        out += "waiting: " + facts.waiting + "  ";
    } else {
        out += count_text(static_cast<std::uint64_t>(facts.lines_per_second)) + "/s  ";
        out += facts.seconds_left ? seconds_text(std::max(1.0, *facts.seconds_left)) + " left  " : "";
    }
    out += count_text(facts.accepted) + " accepted";
    out += facts.duplicates > 0 ? ", " + count_text(facts.duplicates) + " repeats" : "";
    out += facts.rejected > 0 ? ", " + count_text(facts.rejected) + " rejected" : "";
    return clipped(out, width);
}

void speedometer::note(time now, std::uint64_t lines, std::uint64_t bytes) {
    samples_.push_back({now, lines, bytes});
    while (samples_.size() > 2 && now - samples_[1].at > speed_span) {
        samples_.pop_front();
    }
}

double speedometer::span_seconds() const {
    return samples_.size() < 2
               ? 0
               : std::chrono::duration<double>(samples_.back().at - samples_.front().at).count();
}

double speedometer::lines_per_second() const {
    const double span = span_seconds();
    return span > 0 ? static_cast<double>(samples_.back().lines - samples_.front().lines) / span : 0;
}

std::optional<double> speedometer::seconds_left(std::uint64_t bytes_left) const {
    const double span = span_seconds();
    const auto bytes = samples_.empty() ? 0 : samples_.back().bytes - samples_.front().bytes;
    if (span <= 0 || bytes == 0) {
        return std::nullopt;
    }
    return static_cast<double>(bytes_left) * span / static_cast<double>(bytes);
}

progress_display::progress_display() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void progress_display::show(const progress_facts& facts, bool at_once) {
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || (!at_once && now - last_ < redraw)) {
        return;
    }
    last_ = now;
    drawn_ = true;
    winsize size{};
    const std::size_t width =
        ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    std::fprintf(stderr, "\r%s\033[K", progress_line(facts, width - 1).c_str());
    std::fflush(stderr);
}

void progress_display::clear() {
    if (std::exchange(drawn_, false)) {
        std::fputs("\r\033[K", stderr);
        std::fflush(stderr);
    }
}

} // namespace linkrunner::ctl
