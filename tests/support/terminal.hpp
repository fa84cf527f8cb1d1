// A program in a pseudo-terminal: what it draws, and keys for it. Waits are on conditions with deadlines.
#pragma once

#include "support/process.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace linkrunner::tests {

class terminal {
  public:
    terminal(const std::vector<std::string>& words, unsigned short rows, unsigned short columns);
    ~terminal(); // SIGKILL, if it still runs
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    void press(const std::string& keys) const;
    void resize(unsigned short rows, unsigned short columns) const;
    void signal(int number) const;

    // The screen as a person sees it: its rows, spaces at their ends left out. Understands what linkrunnerctl
    // writes: the cursor to the beginning, line ends, wiping.
    std::vector<std::string> screen() const;
    std::string text() const; // the rows, joined

    bool wait_for(const std::string& words, std::chrono::milliseconds limit = patience);
    bool wait_until_gone(const std::string& words, std::chrono::milliseconds limit = patience);
    int wait_exit(std::chrono::milliseconds limit = patience); // the exit code, or minus a signal

    const std::string& output() const { return output_; } // all that was written
    bool echoes() const;                                  // the terminal's own setting

  private:
    bool read_some(int wait_ms);

    int master_ = -1;
    int slave_ = -1; // kept open, so that its settings can be seen at the end
    pid_t pid_ = -1;
    std::string output_;
};

} // namespace linkrunner::tests
