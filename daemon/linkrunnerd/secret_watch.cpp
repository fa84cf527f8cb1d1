#include "secret_watch.hpp"

#include "config/load.hpp"
#include "telemetry/log.hpp"

#include <utility>

namespace linkrunner::daemon {

namespace {

constexpr std::chrono::seconds while_refused{1};
constexpr std::chrono::seconds otherwise{30};

} // namespace

secret_watch::secret_watch(std::string what, std::string path, std::string secret, loop& owner,
                           const clock& time, std::function<bool()> refused,
                           std::function<void(const std::string&)> changed)
    : what_(std::move(what)), path_(std::move(path)), secret_(std::move(secret)), loop_(owner), clock_(time),
      refused_(std::move(refused)), changed_(std::move(changed)) {}

void secret_watch::start() {
    last_look_ = clock_.steady();
    if (!path_.empty()) {
        arm();
    }
}

void secret_watch::stop() {
    if (timer_ != 0) {
        loop_.cancel(std::exchange(timer_, 0));
    }
}

void secret_watch::arm() {
    timer_ = loop_.call_at(clock_.steady() + while_refused, [this] {
        if (refused_() || clock_.steady() - last_look_ >= otherwise) {
            look();
        }
        arm();
    });
}

void secret_watch::follow(const std::string& path, const std::string& secret) {
    if (path != path_) {
        stop();
        path_ = path;
        start();
    }
    if (secret != secret_) {
        take(secret);
    }
}

void secret_watch::look() {
    last_look_ = clock_.steady();
    if (path_.empty()) {
        return;
    }
    const auto read = config::read_secret(path_);
    problem_ = read.has_error() ? read.error().message : std::string();
    if (read.has_error()) {
        log::warning("the file of a secret cannot be read; the secret in use stays",
                     {{"secret", what_}, {"error", read.error().message}});
    } else if (*read != secret_) {
        take(*read);
    }
}

void secret_watch::take(const std::string& secret) {
    secret_ = secret;
    changed_at_ = clock_.wall();
    log::info("a secret has changed", {{"secret", what_}, {"file", path_}});
    changed_(secret_);
}

} // namespace linkrunner::daemon
