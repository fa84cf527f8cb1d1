// Tells the service manager how the daemon fares: one datagram per word, see sd_notify(3). Without
// NOTIFY_SOCKET in the environment all of it does nothing. Any thread; sends without blocking, and a datagram
// that cannot be sent is dropped: the manager's absence must not disturb the service.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::net {

class notifier {
  public:
    // `address`: a path or "@abstract name" as in NOTIFY_SOCKET; "" for none.
    explicit notifier(std::string address) : address_(std::move(address)) {}
    static notifier from_environment();

    bool active() const { return !address_.empty(); }

    // `status` is one line for people, shown by systemctl status.
    void ready(std::string_view status) const;
    void stopping(std::string_view status) const;
    void reloading(std::string_view status) const; // ready() follows when it is done
    void status(std::string_view status) const;
    void watchdog() const; // alive: to be called at half of watchdog_interval()

  private:
    void send(std::string_view message) const;
    std::string address_;
};

// WatchdogSec= of the unit, when it means this process (WATCHDOG_USEC, WATCHDOG_PID; sd_watchdog_enabled(3)).
std::optional<std::chrono::microseconds> watchdog_interval();

} // namespace linkrunner::net
