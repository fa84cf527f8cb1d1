#include "handoff.hpp"

#include "base/duration.hpp"
#include "config/load.hpp"
#include "telemetry/log.hpp"
#include "translate.hpp"

#include <cmath>
#include <string>
#include <utility>

namespace linkrunner::daemon {

namespace {

// Its file may have been renewed since it was read at the start.
std::string present_token(const config::settings& all) {
    const auto fresh = all.shutdown.handoff_token_file.empty()
                           ? result<std::string>(all.handoff_token)
                           : config::read_secret(all.shutdown.handoff_token_file);
    return fresh ? *fresh : all.handoff_token;
}

} // namespace

handoff::handoff(const config::settings& all, net::asio_loop& owner, forward::ports with,
                 std::function<void()> done)
    : settings_(all), loop_(owner), ports_(with), done_(std::move(done)) {}

handoff::~handoff() = default;

void handoff::start() {
    when_recorded([this] { begin(); });
}

// Marks are recorded at the next turn of the loop; the disk thread works in the order in which it is asked.
void handoff::when_recorded(std::function<void()> next) {
    ports_.queue.on_disk([](spool::store&) {},
                         [this, next = std::move(next)](const result<void>&) {
                             loop_.post([this, next] {
                                 if (done_) {
                                     next();
                                 }
                             });
                         });
}

void handoff::begin() {
    pending_before_ = ports_.queue.status().events.pending;
    tell_of_dead_letters();
    if (pending_before_ == 0) {
        end();
        return;
    }
    auto peer = net::client::make(loop_, handoff_client_settings(settings_));
    if (peer.has_error()) {
        log::error("hand-off impossible",
                   {{"to", settings_.shutdown.handoff}, {"error", peer.error().message}});
        tell(pending_before_);
        end();
        return;
    }
    peer_ = std::move(*peer);
    began_ = ports_.time.steady();
    const steady_time until = began_ + settings_.shutdown.handoff_timeout;
    log::info("handing over what waits to another linkrunnerd",
              {{"to", settings_.shutdown.handoff},
               {"pending", pending_before_},
               {"within", format_duration(settings_.shutdown.handoff_timeout)}});
    forwarder_ = std::make_unique<forward::forwarder>(
        handoff_settings(settings_), present_token(settings_),
        forward::ports{ports_.queue, *peer_, ports_.owner, ports_.time, ports_.random, ports_.metrics,
                       ports_.traces, ports_.activity});
    timer_ = loop_.call_at(until, [this] {
        timer_ = 0;
        peer_->stop();
    });
    forwarder_->start();
    forwarder_->drain(until, [this] {
        when_recorded([this] {
            tell(ports_.queue.status().events.pending);
            end();
        });
    });
}

void handoff::end() {
    if (timer_ != 0) {
        loop_.cancel(std::exchange(timer_, 0));
    }
    if (auto done = std::exchange(done_, {})) {
        done();
    }
}

void handoff::stop() {
    done_ = {};
    if (forwarder_) {
        forwarder_->stop();
        peer_->stop();
    }
}

void handoff::tell(std::uint64_t left) const {
    const double seconds = std::chrono::duration<double>(ports_.time.steady() - began_).count();
    if (left == 0) {
        log::info("all that waited was handed over", {{"to", settings_.shutdown.handoff},
                                                      {"events", pending_before_},
                                                      {"seconds", std::round(seconds * 1000) / 1000}});
    } else {
        const auto why = forwarder_ ? forwarder_->error() : std::nullopt;
        log::error(
            "hand-off incomplete: events stay in this spool, and are lost with it if its directory does "
            "not outlive this process",
            {{"left", left},
             {"of", pending_before_},
             {"to", settings_.shutdown.handoff},
             {"spool", settings_.spool.directory},
             {"why", why ? why->what : std::string("shutdown.handoff_timeout was too short")}});
    }
}

void handoff::tell_of_dead_letters() const {
    if (const std::uint64_t dead = ports_.queue.status().events.dead; dead != 0) {
        log::warning("dead letters are not handed over: they stay in this spool",
                     {{"dead", dead}, {"spool", settings_.spool.directory}});
    }
}

} // namespace linkrunner::daemon
