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
        for (const auto& each : listeners_) {
            each->start([this](stream_socket socket, const listener& from, bool admitted) {
                take(std::move(socket), from, admitted);
            });
        }
    }

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

    void stop(std::function<void()> stopped) override;
    void abort() override { close_everything(); }

    std::size_t connections() const override { return connections_.size() - turned_away_; }

  private:
    void take(stream_socket socket, const listener& from, bool admitted);
    void add(const std::shared_ptr<connection>& which);
    void closed(connection& which) override;
    void paused(std::shared_ptr<connection> which) override { paused_.push_back(std::move(which)); }
    void later(loop::task work) override { owner_.post(std::move(work)); }
    void sweep();
    void close_everything();
    void tell_when_stopped();

    asio_loop& owner_;
    const std::chrono::milliseconds interval_;
    std::vector<std::shared_ptr<listener>> listeners_;
    std::vector<std::shared_ptr<connection>> connections_;
    std::vector<std::shared_ptr<connection>> paused_;
    std::size_t turned_away_ = 0;
    loop::timer_id sweep_timer_ = 0;
    bool resuming_ = false;
    std::vector<std::function<void()>> when_stopped_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

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

void server_on_sockets::stop(std::function<void()> stopped) {
    if (stopped) {
        when_stopped_.push_back(std::move(stopped));
    }
    if (std::exchange(stopping, true)) {
        tell_when_stopped();
        return;
    }
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
