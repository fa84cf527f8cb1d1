#include "key_watch.hpp"

#include "config/load.hpp"
#include "telemetry/log.hpp"

#include <utility>

namespace linkrunner::daemon {

namespace {

constexpr std::chrono::seconds while_held{1};
constexpr std::chrono::seconds otherwise{30};

} // namespace

key_watch::key_watch(std::string path, std::string key, loop& owner, const clock& time,
                     std::function<bool()> held, std::function<void(const std::string&)> changed)
    : path_(std::move(path)), key_(std::move(key)), loop_(owner), clock_(time), held_(std::move(held)),
      changed_(std::move(changed)) {}

void key_watch::start() {
    last_look_ = clock_.steady();
    if (!path_.empty()) {
        arm();
    }
}

void key_watch::stop() {
    if (timer_ != 0) {
        loop_.cancel(std::exchange(timer_, 0));
    }
}

void key_watch::arm() {
    timer_ = loop_.call_at(clock_.steady() + while_held, [this] {
        if (held_() || clock_.steady() - last_look_ >= otherwise) {
            look();
        }
        arm();
    });
}

void key_watch::look() {
    last_look_ = clock_.steady();
    if (path_.empty()) {
        return;
    }
    const auto read = config::read_secret(path_);
    if (read.has_error()) {
        log::warning("the server key file cannot be read; the key in use stays",
                     {{"error", read.error().message}});
    } else if (*read != key_) {
        key_ = *read;
        log::info("the server key has changed", {{"file", path_}});
        changed_(key_);
    }
}

} // namespace linkrunner::daemon
