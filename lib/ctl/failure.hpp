// How a command of linkrunnerctl ends when it does not end well: what to print, and the exit code.
#pragma once

#include <stdexcept>
#include <string>

namespace linkrunner::ctl {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1; // refused or failed
inline constexpr int exit_usage = 2;
inline constexpr int exit_unreachable = 69; // EX_UNAVAILABLE of sysexits.h

// A command-line tool has nobody to hand an error to but its caller: thrown, and caught in main.
class failure : public std::runtime_error {
  public:
    failure(int exit_code, const std::string& message) : std::runtime_error(message), exit_code_(exit_code) {}
    int exit_code() const noexcept { return exit_code_; }

  private:
    int exit_code_;
};

} // namespace linkrunner::ctl
