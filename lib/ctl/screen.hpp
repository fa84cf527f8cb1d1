// The terminal while `top` has it: the alternate screen, no echo, keys as they are pressed. Given back as it
// was when the object ends, and on SIGINT, SIGTERM, SIGHUP and SIGQUIT, which end wait(). One at a time.
#pragma once

#include "ctl/top_view.hpp"

#include <chrono>
#include <string>
#include <termios.h>

namespace linkrunner::ctl {

class screen {
  public:
    enum class event { nothing, quit, refresh, resized };

    screen(); // throws failure where standard input or output is no terminal
    ~screen();
    screen(const screen&) = delete;
    screen& operator=(const screen&) = delete;

    screen_size size() const;
    void write(const std::string& text) const;
    event wait(std::chrono::milliseconds limit) const;

  private:
    termios before_{};
    int signals_ = -1; // signalfd(2)
};

// True where the locale says that the terminal takes UTF-8.
bool terminal_takes_utf8();

} // namespace linkrunner::ctl
