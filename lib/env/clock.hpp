// Time as a port. Backoff, pauses and pacing use steady time; ages and stamps use wall time.
#pragma once

#include <chrono>

namespace linkrunner {

using steady_time = std::chrono::steady_clock::time_point;
using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

class clock {
  public:
    virtual ~clock() = default;
    virtual steady_time steady() const noexcept = 0;
    virtual wall_time wall() const noexcept = 0;
};

// The machine's clocks. Thread-safe.
class system_clock final : public clock {
  public:
    steady_time steady() const noexcept override { return std::chrono::steady_clock::now(); }
    wall_time wall() const noexcept override {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }
};

} // namespace linkrunner
