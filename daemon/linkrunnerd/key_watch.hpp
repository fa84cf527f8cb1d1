// Watches the server key's file: every second while the upstream does not take the key, every 30 s otherwise.
// Lives on the loop's thread.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"

#include <functional>
#include <string>

namespace linkrunner::daemon {

class key_watch {
  public:
    // `held` tells whether the key is refused at present; `changed` gets each new key. Without a path nothing
    // is watched.
    key_watch(std::string path, std::string key, loop& owner, const clock& time, std::function<bool()> held,
              std::function<void(const std::string&)> changed);

    void start();
    void stop();

    // Looks at once (SIGHUP).
    void look();

  private:
    void arm();

    std::string path_;
    std::string key_;
    loop& loop_;
    const clock& clock_;
    std::function<bool()> held_;
    std::function<void(const std::string&)> changed_;
    loop::timer_id timer_ = 0;
    steady_time last_look_{};
};

} // namespace linkrunner::daemon
