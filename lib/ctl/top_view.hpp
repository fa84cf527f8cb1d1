// The screen of `top`: the status, and what changes, as it was drawn last. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

namespace linkrunner::ctl {

// The last samples of a few numbers, for the lines that show their course.
class course {
  public:
    // `seconds` since the sample before, 0 for the first one.
    void take(const boost::json::value& status, double seconds);

    struct sample {
        double accepted = 0; // per second
        double delivered = 0;
        double pending = 0;
    };
    const std::deque<sample>& samples() const { return samples_; }

  private:
    std::deque<sample> samples_;
    double accepted_ = 0, delivered_ = 0;
    bool begun_ = false;
};

// A line of blocks, the newest at the right, as high as the highest; ASCII where the terminal takes nothing
// else. At most `columns`.
std::string sparkline(const std::vector<double>& values, std::size_t columns, bool ascii);

struct screen_size {
    std::size_t rows = 24;
    std::size_t columns = 80;
};

// Lines of the screen, at most so many. `problem`: why there is no news; empty while there is.
std::vector<std::string> top_lines(const boost::json::value& status, const course& past, screen_size size,
                                   const std::string& problem, bool ascii);

// What makes a terminal show these lines in place of what it shows, without flicker: each line is rewritten
// and its rest wiped (ECMA-48).
std::string redraw(const std::vector<std::string>& lines, screen_size size);

} // namespace linkrunner::ctl
