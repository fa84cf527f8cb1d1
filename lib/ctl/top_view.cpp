#include "ctl/top_view.hpp"

#include "ctl/fields.hpp"
#include "ctl/status_view.hpp"
#include "ctl/text.hpp"

#include <algorithm>
#include <cmath>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

constexpr std::size_t most_samples = 300;
constexpr std::size_t label_columns = 12;
constexpr std::size_t value_columns = 14;

std::string course_line(const char* label, const std::string& now, const std::vector<double>& values,
                        std::size_t columns, bool ascii) {
    std::string out = label;
    out.resize(std::max(out.size(), label_columns), ' ');
    const std::size_t pad = columns_of(now) < value_columns - 2 ? value_columns - 2 - columns_of(now) : 0;
    out += std::string(pad, ' ') + now + "  ";
    const std::size_t used = columns_of(out);
    return columns > used ? out + sparkline(values, columns - used, ascii) : out;
}

std::vector<double> values_of(const course& past, double course::sample::* which) {
    std::vector<double> out;
    for (const course::sample& each : past.samples()) {
        out.push_back(each.*which);
    }
    return out;
}

double last_of(const std::vector<double>& values) {
    return values.empty() ? 0 : values.back();
}

} // namespace

void course::take(const json::value& status, double seconds) {
    const double accepted = number_at(status, "/since_start/accepted").value_or(0);
    const double delivered = number_at(status, "/since_start/delivered").value_or(0);
    sample now;
    now.pending = number_at(status, "/daemon/ledger/pending").value_or(0);
    if (begun_ && seconds > 0) { // a restart of the daemon begins at 0 again
        now.accepted = std::max(0.0, accepted - accepted_) / seconds;
        now.delivered = std::max(0.0, delivered - delivered_) / seconds;
    }
    begun_ = true;
    accepted_ = accepted;
    delivered_ = delivered;
    samples_.push_back(now);
    if (samples_.size() > most_samples) {
        samples_.pop_front();
    }
}

std::string sparkline(const std::vector<double>& values, std::size_t columns, bool ascii) {
    static constexpr const char* blocks[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                             "\u2585", "\u2586", "\u2587", "\u2588"};
    static constexpr const char* letters[] = {" ", ".", ".", ":", ":", "|", "|", "#", "#"};
    const std::size_t count = std::min(values.size(), columns);
    double highest = 0;
    for (std::size_t index = values.size() - count; index < values.size(); ++index) {
        highest = std::max(highest, values[index]);
    }
    std::string out;
    for (std::size_t index = values.size() - count; index < values.size(); ++index) {
        const double share = highest > 0 ? values[index] / highest : 0;
        const auto level = static_cast<std::size_t>(std::ceil(share * 8));
        out += (ascii ? letters : blocks)[std::min<std::size_t>(level, 8)];
    }
    return out;
}

std::vector<std::string> top_lines(const json::value& status, const course& past, screen_size size,
                                   const std::string& problem, bool ascii) {
    std::vector<std::string> out;
    if (!problem.empty()) {
        out.push_back("NO NEWS: " + printable(problem));
    }
    if (status.is_object()) {
        const auto accepted = values_of(past, &course::sample::accepted);
        const auto delivered = values_of(past, &course::sample::delivered);
        const auto pending = values_of(past, &course::sample::pending);
        for (std::string& line : status_lines(status, size.columns)) {
            out.push_back(std::move(line));
        }
        // Below the headline, so that they stay on a small screen.
        const std::vector<std::string> courses = {
            course_line("Events in", rate_text(std::round(last_of(accepted))), accepted, size.columns, ascii),
            course_line("Events out", rate_text(std::round(last_of(delivered))), delivered, size.columns,
                        ascii),
            course_line("Waiting", count_text(static_cast<std::uint64_t>(last_of(pending))), pending,
                        size.columns, ascii)};
        out.insert(out.begin() + (problem.empty() ? 1 : 2), courses.begin(), courses.end());
    }
    const std::size_t room = size.rows > 1 ? size.rows - 1 : 1;
    if (out.size() > room) {
        out.resize(room);
    }
    out.resize(room);
    out.push_back("q ends, space asks at once");
    for (std::string& line : out) {
        line = clipped(line, size.columns);
    }
    return out;
}

std::string redraw(const std::vector<std::string>& lines, screen_size size) {
    std::string out = "\033[H";
    for (std::size_t row = 0; row < lines.size() && row < size.rows; ++row) {
        out += (row == 0 ? "" : "\r\n") + lines[row] + "\033[K";
    }
    return out + "\033[J";
}

} // namespace linkrunner::ctl
