#include "net/server.hpp"

#include "net/connection.hpp"
#include "net/listener.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::net {
namespace {

constexpr std::size_t max_turned_away = 64; // told so at the same time; more are closed without a word

// One sweep looks at all deadlines: no timer per request.
std::chrono::milliseconds sweep_interval(const server_settings& options) {
    using std::chrono::milliseconds;
    return std::clamp(std::min(options.request_timeout, options.idle_timeout) / 8, milliseconds(10),
                      milliseconds(250));
}

// What apply() takes over: the listeners in the order of the settings, those that are new and those that
// stay.
struct prepared_change final : server::change {
    struct place {
        std::shared_ptr<listener> which;
        bool fresh = false;
        std::unique_ptr<server_tls_context> tls; // of one that stays
    };
    server_settings settings;
    std::vector<place> listeners;
};

class server_on_sockets final : public server, public connection_host {
  public:
    server_on_sockets(asio_loop& owner, const server_settings& options, request_handler& served)
        : connection_host(options, served), owner_(owner), interval_(sweep_interval(options)) {}

    ~server_on_sockets() override {
        when_stopped_.clear();
        close_everything();
    }

    result<void> bind() {
        for (const auto& each : settings.listen) {
            auto made = listener::open(owner_, each);
            if (!made) {
                return made.error();
            }
            listeners_.push_back(std::move(*made));
        }
        return {};
    }

    void start() override {
        started_ = true;
        for (const auto& each : listeners_) {
            start(*each);
        }
    }

    result<std::unique_ptr<change>> prepare(const server_settings& options) override;
    void apply(std::unique_ptr<change> prepared) override;

    std::vector<std::string> addresses() const override {
        std::vector<std::string> all;
        all.reserve(listeners_.size());
        for (const auto& each : listeners_) {
            all.push_back(each->bound());
        }
        return all;
    }

    void resume() override {
        if (paused_.empty() || std::exchange(resuming_, true)) {
            return;
        }
        owner_.post([this, gone = std::weak_ptr<char>(alive_)] {
            if (!gone.expired()) {
                resuming_ = false;
                for (const auto& each : std::exchange(paused_, {})) {
                    each->resume();
                }
            }
        });
    }

    void wind_down() override { winding_down = true; }
    void stop(std::function<void()> stopped, std::chrono::milliseconds grace) override;
    void abort() override { close_everything(); }

    std::size_t connections() const override { return connections_.size() - turned_away_; }

  private:
    void start(listener& which) {
        which.start([this](stream_socket socket, const listener& from, bool admitted) {
            take(std::move(socket), from, admitted);
        });
    }
    std::shared_ptr<listener> find(const listen_address& wanted, const prepared_change& taken) const;
    void take(stream_socket socket, const listener& from, bool admitted);
    void add(const std::shared_ptr<connection>& which);
    void closed(connection& which) override;
    void paused(std::shared_ptr<connection> which) override { paused_.push_back(std::move(which)); }
    void later(loop::task work) override { owner_.post(std::move(work)); }
    void sweep();
    void close_everything();
    void tell_when_stopped();

    asio_loop& owner_;
    std::chrono::milliseconds interval_;
    bool started_ = false;
    std::vector<std::shared_ptr<listener>> listeners_;
    std::vector<std::shared_ptr<connection>> connections_;
    std::vector<std::shared_ptr<connection>> paused_;
    std::size_t turned_away_ = 0;
    loop::timer_id sweep_timer_ = 0;
    bool resuming_ = false;
    std::vector<std::function<void()>> when_stopped_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

// The listener of this address, unless it was found before.
std::shared_ptr<listener> server_on_sockets::find(const listen_address& wanted,
                                                  const prepared_change& taken) const {
    const auto found = std::ranges::find_if(listeners_, [&](const auto& each) {
        return each->options().text == wanted.text &&
               std::ranges::find(taken.listeners, each, &prepared_change::place::which) ==
                   taken.listeners.end();
    });
    return found == listeners_.end() ? nullptr : *found;
}

result<std::unique_ptr<server::change>> server_on_sockets::prepare(const server_settings& options) {
    auto out = std::make_unique<prepared_change>();
    out->settings = options;
    for (const listen_address& each : options.listen) {
        prepared_change::place place{find(each, *out), false, nullptr};
        if (place.which == nullptr) {
            auto made = listener::open(owner_, each);
            if (!made) {
                return made.error();
            }
            place = {std::move(*made), true, nullptr};
        } else if (each.tls) {
            auto made = server_tls_context::make(*each.tls);
            if (!made) {
                return error{made.error().code, "listen on " + each.text + ": " + made.error().message};
            }
            place.tls = std::move(*made);
        }
        out->listeners.push_back(std::move(place));
    }
    return std::unique_ptr<change>(std::move(out));
}

void server_on_sockets::apply(std::unique_ptr<change> prepared) {
    auto& next = static_cast<prepared_change&>(*prepared);
    settings = std::move(next.settings);
    interval_ = sweep_interval(settings);
    auto former = std::exchange(listeners_, {});
    for (std::size_t i = 0; i < next.listeners.size(); ++i) {
        prepared_change::place& place = next.listeners[i];
        std::erase(former, place.which);
        if (!place.fresh) {
            place.which->renew(settings.listen[i], std::move(place.tls));
        } else if (started_) {
            start(*place.which);
        }
        listeners_.push_back(std::move(place.which));
    }
    for (const auto& gone : former) {
        gone->finish();
        for (const auto& each : connections_) {
            if (each->listener().name == gone->options().text) {
                each->retire();
            }
        }
    }
}

void server_on_sockets::take(stream_socket socket, const listener& from, bool admitted) {
    const bool full = connections() >= settings.max_connections;
    const bool away = full || !admitted;
    if (away && (from.tls() != nullptr || turned_away_ >= max_turned_away)) {
        return; // the socket's destructor closes it
    }
    const auto made = std::make_shared<connection>(*this, from.info());
    add(made);
    if (away) {
        ++turned_away_;
        made->turn_away(std::move(socket), admitted);
    } else {
        made->serve(std::move(socket), from.tls() != nullptr ? from.tls()->session() : nullptr);
    }
}

void server_on_sockets::add(const std::shared_ptr<connection>& which) {
    which->place = connections_.size();
    connections_.push_back(which);
    if (sweep_timer_ == 0) {
        sweep_timer_ = owner_.call_at(std::chrono::steady_clock::now() + interval_, [this] { sweep(); });
    }
}

void server_on_sockets::closed(connection& which) {
    turned_away_ -= which.was_turned_away() ? 1 : 0;
    const auto place = which.place;
    connections_.back()->place = place;
    std::swap(connections_[place], connections_.back());
    connections_.pop_back();
    tell_when_stopped();
}

void server_on_sockets::sweep() {
    sweep_timer_ = 0;
    const auto now = std::chrono::steady_clock::now();
    // From the back: a connection that closes is replaced by one that was looked at already.
    for (auto place = connections_.size(); place-- > 0;) {
        const auto each = connections_[place];
        each->tick(now);
    }
    if (!connections_.empty()) {
        sweep_timer_ = owner_.call_at(now + interval_, [this] { sweep(); });
    }
}

void server_on_sockets::stop(std::function<void()> stopped, std::chrono::milliseconds grace) {
    if (stopped) {
        when_stopped_.push_back(std::move(stopped));
    }
    if (std::exchange(stopping, true)) {
        tell_when_stopped();
        return;
    }
    stop_grace = grace;
    for (const auto& each : listeners_) {
        each->close();
    }
    for (auto place = connections_.size(); place-- > 0;) {
        const auto each = connections_[place];
        each->drain();
    }
    tell_when_stopped();
}

void server_on_sockets::close_everything() {
    stopping = true;
    for (const auto& each : listeners_) {
        each->close();
    }
    for (auto place = connections_.size(); place-- > 0;) {
        const auto each = connections_[place];
        each->close();
    }
    paused_.clear();
    if (sweep_timer_ != 0) {
        owner_.cancel(std::exchange(sweep_timer_, 0));
    }
    tell_when_stopped();
}

void server_on_sockets::tell_when_stopped() {
    if (stopping && connections_.empty()) {
        for (auto& each : std::exchange(when_stopped_, {})) {
            owner_.post(std::move(each));
        }
    }
}

} // namespace

result<std::unique_ptr<server>> server::open(asio_loop& owner, const server_settings& options,
                                             request_handler& handler) {
    auto made = std::make_unique<server_on_sockets>(owner, options, handler);
    if (const auto bound = made->bind(); !bound) {
        return bound.error();
    }
    return std::unique_ptr<server>(std::move(made));
}

} // namespace linkrunner::net
