#include "env/lock_owner.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <sys/types.h>
#include <unistd.h>

namespace linkrunner {

namespace {

std::string this_host() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

bool is_gone(long id) {
    return ::kill(static_cast<pid_t>(id), 0) != 0 && errno == ESRCH;
}

} // namespace

std::string describe_lock_owner() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    std::array<char, 32> since{};
    ::gmtime_r(&now, &parts);
    std::strftime(since.data(), since.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return std::to_string(::getpid()) + "\n" + since.data() + "\n" + this_host() + "\n";
}

std::string read_lock_owner(std::string_view text) {
    const std::string_view process = take_line(text);
    const std::string_view since = take_line(text);
    const std::string_view host = take_line(text);
    long id = 0;
    const auto read = std::from_chars(process.data(), process.data() + process.size(), id);
    const bool here = host.empty() || host == this_host();
    if (read.ec != std::errc{} || id <= 0 || (here && is_gone(id))) {
        return "another process";
    }
    std::string out = "process " + std::to_string(id);
    out += host.empty() ? "" : " on " + std::string(host);
    out += since.empty() ? "" : " since " + std::string(since);
    return out;
}

} // namespace linkrunner
