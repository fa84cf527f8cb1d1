#include "ctl/screen.hpp"

#include "ctl/failure.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace linkrunner::ctl {

namespace {

// The alternate screen and the cursor (xterm's, known by all terminals in use).
constexpr std::string_view enter = "\033[?1049h\033[?25l\033[2J";
constexpr std::string_view leave = "\033[?25h\033[?1049l";

sigset_t signals_of_interest() {
    sigset_t out;
    sigemptyset(&out);
    for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) {
        sigaddset(&out, each);
    }
    return out;
}

} // namespace

screen::screen() {
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1 ||
        ::tcgetattr(STDIN_FILENO, &before_) != 0) {
        throw failure(exit_usage, "top needs a terminal; `linkrunnerctl status` prints the same once");
    }
    const sigset_t wanted = signals_of_interest();
    ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
    signals_ = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    write(std::string(enter));
}

screen::~screen() {
    write(std::string(leave));
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    ::close(signals_);
    const sigset_t wanted = signals_of_interest();
    ::sigprocmask(SIG_UNBLOCK, &wanted, nullptr);
}

screen_size screen::size() const {
    winsize found{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) != 0 || found.ws_row == 0 || found.ws_col == 0) {
        return {};
    }
    return {found.ws_row, found.ws_col};
}

void screen::write(const std::string& text) const {
    std::string_view left = text;
    while (!left.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, left.data(), left.size());
        if (written < 0 && errno != EINTR) {
            return; // the terminal has gone, which SIGHUP tells
        }
        left.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
}

screen::event screen::wait(std::chrono::milliseconds limit) const {
    pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {signals_, POLLIN, 0}};
    if (::poll(watched, 2, static_cast<int>(limit.count())) <= 0) {
        return event::nothing;
    }
    if (watched[1].revents != 0) {
        signalfd_siginfo what{};
        const bool resized = ::read(signals_, &what, sizeof what) == static_cast<ssize_t>(sizeof what) &&
                             what.ssi_signo == SIGWINCH;
        return resized ? event::resized : event::quit;
    }
    char key = 0;
    if (::read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q') {
        return event::quit;
    }
    return key == ' ' ? event::refresh : event::nothing;
}

bool terminal_takes_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') {
            std::string text = value;
            std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
            return text.find("utf-8") != std::string::npos || text.find("utf8") != std::string::npos;
        }
    }
    return false;
}

} // namespace linkrunner::ctl
