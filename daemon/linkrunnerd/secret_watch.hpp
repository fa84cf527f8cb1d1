// Watches the file of a secret (the server key, the intake's token): every second while the secret in use is
// refused, every 30 s otherwise. Lives on the loop's thread.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"

#include <functional>
#include <optional>
#include <string>

namespace linkrunner::daemon {

class secret_watch {
  public:
    // `what` names the secret in the log; `refused` tells whether the one in use is refused at present;
    // `changed` gets each new one. Without a path nothing is watched.
    secret_watch(std::string what, std::string path, std::string secret, loop& owner, const clock& time,
                 std::function<bool()> refused, std::function<void(const std::string&)> changed);

    void start();
    void stop();

    // From now on this file, and this secret, which was read from it or from elsewhere.
    void follow(const std::string& path, const std::string& secret);

    // Looks at once (SIGHUP).
    void look();

    const std::string& path() const { return path_; }                   // empty: not from a file
    const std::string& problem() const { return problem_; }             // why the file cannot be read, if so
    std::optional<wall_time> changed_at() const { return changed_at_; } // since the start

  private:
    void arm();
    void take(const std::string& secret);

    std::string what_;
    std::string path_;
    std::string secret_;
    loop& loop_;
    const clock& clock_;
    std::function<bool()> refused_;
    std::function<void(const std::string&)> changed_;
    loop::timer_id timer_ = 0;
    steady_time last_look_{};
    std::string problem_;
    std::optional<wall_time> changed_at_;
};

} // namespace linkrunner::daemon
