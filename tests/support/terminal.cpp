#include "support/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <system_error>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

namespace linkrunner::tests {

terminal::terminal(const std::vector<std::string>& words, unsigned short rows, unsigned short columns) {
    const winsize size{rows, columns, 0, 0};
    if (::openpty(&master_, &slave_, nullptr, nullptr, &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "openpty");
    }
    std::vector<char*> arguments;
    for (const std::string& each : words) {
        arguments.push_back(const_cast<char*>(each.c_str()));
    }
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(master_);
        ::login_tty(slave_);
        ::setenv("TERM", "xterm", 1);
        ::setenv("LC_ALL", "C.UTF-8", 1);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
}

terminal::~terminal() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
    ::close(slave_);
}

void terminal::press(const std::string& keys) const {
    if (::write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
        throw std::system_error(errno, std::generic_category(), "write to the terminal");
    }
}

void terminal::resize(unsigned short rows, unsigned short columns) const {
    const winsize size{rows, columns, 0, 0};
    ::ioctl(master_, TIOCSWINSZ, &size);
}

void terminal::signal(int number) const {
    ::kill(pid_, number);
}

bool terminal::read_some(int wait_ms) {
    pollfd watched{master_, POLLIN, 0};
    if (::poll(&watched, 1, wait_ms) <= 0) {
        return false;
    }
    char piece[4096];
    const ssize_t got = ::read(master_, piece, sizeof piece);
    if (got > 0) {
        output_.append(piece, static_cast<std::size_t>(got));
    }
    return got > 0;
}

std::vector<std::string> terminal::screen() const {
    std::vector<std::string> out(1);
    std::size_t row = 0;
    std::size_t column = 0; // in bytes: a row is always rewritten from its beginning
    const auto put = [&](char c) {
        out[row].resize(std::max(out[row].size(), column + 1), ' ');
        out[row][column++] = c;
    };
    for (std::size_t at = 0; at < output_.size(); ++at) {
        const char c = output_[at];
        if (c == '\r') {
            column = 0;
        } else if (c == '\n') {
            ++row;
            out.resize(std::max(out.size(), row + 1));
        } else if (c == '\033' && at + 1 < output_.size() && output_[at + 1] == '[') {
            const auto end = output_.find_first_not_of("?0123456789;", at + 2);
            if (end == std::string::npos) {
                break;
            }
            switch (output_[end]) {
            case 'H':
                row = column = 0;
                break;
            case 'K':
                out[row].resize(column, ' ');
                break;
            case 'J':
                out.resize(row + 1);
                break;
            default:
                break;
            }
            at = end;
        } else {
            put(c);
        }
    }
    return out;
}

std::string terminal::text() const {
    std::string out;
    for (const std::string& each : screen()) {
        out += each + "\n";
    }
    return out;
}

bool terminal::wait_for(const std::string& words, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (text().find(words) == std::string::npos) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        read_some(20);
    }
    return true;
}

bool terminal::wait_until_gone(const std::string& words, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (text().find(words) != std::string::npos) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        read_some(20);
    }
    return true;
}

int terminal::wait_exit(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > end) {
            return -1000;
        }
        read_some(10);
    }
    pid_ = -1;
    while (read_some(0)) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool terminal::echoes() const {
    termios settings{};
    return ::tcgetattr(slave_, &settings) == 0 && (settings.c_lflag & ECHO) != 0 &&
           (settings.c_lflag & ICANON) != 0;
}

} // namespace linkrunner::tests
