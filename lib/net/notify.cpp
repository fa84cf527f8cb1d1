#include "net/notify.hpp"

#include "net/descriptor.hpp"
#include "net/environment.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace linkrunner::net {
namespace {

// A line end would begin a field of its own.
std::string status_line(std::string_view text) {
    std::string made = "STATUS=" + std::string(text);
    std::ranges::replace(made, '\n', ' ');
    return made + "\n";
}

} // namespace

notifier notifier::from_environment() {
    return notifier(std::string(environment_variable("NOTIFY_SOCKET")));
}

void notifier::ready(std::string_view status) const {
    send("READY=1\n" + status_line(status));
}

void notifier::stopping(std::string_view status) const {
    send("STOPPING=1\n" + status_line(status));
}

// sd_notify(3): systemd tells this from an earlier READY=1 by CLOCK_MONOTONIC, in microseconds.
void notifier::reloading(std::string_view status) const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds =
        static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) + "\n" + status_line(status));
}

void notifier::status(std::string_view status) const {
    send(status_line(status));
}

void notifier::watchdog() const {
    send("WATCHDOG=1\n");
}

void notifier::send(std::string_view message) const {
    sockaddr_un where{};
    if (address_.size() < 2 || address_.size() >= sizeof where.sun_path) {
        return;
    }
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, address_.data(), address_.size());
    if (address_.front() == '@') {
        where.sun_path[0] = '\0';
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    const unique_descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
             reinterpret_cast<const sockaddr*>(&where), length);
}

std::optional<std::chrono::microseconds> watchdog_interval() {
    const auto interval = environment_number<std::uint64_t>("WATCHDOG_USEC");
    const auto process = environment_variable("WATCHDOG_PID");
    if (!interval || *interval == 0 ||
        (!process.empty() && environment_number<pid_t>("WATCHDOG_PID") != ::getpid())) {
        return std::nullopt;
    }
    return std::chrono::microseconds(*interval);
}

} // namespace linkrunner::net
