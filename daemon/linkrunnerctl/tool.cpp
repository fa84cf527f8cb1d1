#include "tool.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace linkrunner::ctl {

CLI::App* add_command(CLI::App& parent, tool& with, const std::string& name, const std::string& description,
                      std::function<int()> run) {
    CLI::App* made = parent.add_subcommand(name, description);
    made->callback([&with, run = std::move(run)] { with.chosen = run; });
    return made;
}

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
        throw failure(exit_failed, "cannot write to standard output");
    }
}

std::size_t output_width() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    const char* columns = std::getenv("COLUMNS");
    const long given = columns != nullptr ? std::strtol(columns, nullptr, 10) : 0;
    return given > 20 ? static_cast<std::size_t>(given) : 160;
}

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

} // namespace linkrunner::ctl
