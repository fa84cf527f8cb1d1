#include "net/client.hpp"

#include "net/upstream.hpp"
#include "net/upstream_connection.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace linkrunner::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t max_opening = 2;        // handshakes at once: a new upstream is not stormed
constexpr milliseconds reopen_pause{250};     // while other connections work
constexpr milliseconds assumed_fresh_for{20}; // an idle connection is looked at after this

// One sweep looks at all deadlines: no timer per request.
milliseconds sweep_interval(const client_settings& options) {
    return std::clamp(std::min({options.connect_timeout, options.request_timeout, options.idle_timeout}) / 8,
                      milliseconds(10), milliseconds(250));
}

class pooled_client final : public client, public upstream_host {
  public:
    pooled_client(asio_loop& owner, std::unique_ptr<upstream> to)
        : owner_(owner), upstream_(std::move(to)), interval_(sweep_interval(upstream_->settings)) {}
    ~pooled_client() override { cut(); }

    void send(outgoing request, std::function<void(answer)> done) override;
    void stop() override;
    std::size_t open_connections() const override {
        return static_cast<std::size_t>(
            std::ranges::count_if(connections_, [](const auto& each) { return each->is_open(); }));
    }

  private:
    struct idle_connection {
        upstream_connection* which;
        steady_time since;
    };

    void opened(upstream_connection& which) override;
    void not_opened(upstream_connection& which, transport_error what, std::string detail) override;
    void idle(upstream_connection& which) override;
    void closed(upstream_connection& which) override;

    void dispatch();
    upstream_connection* take_idle();
    void open_one();
    void remove(upstream_connection& which);
    void sweep();
    void keep_sweeping();
    std::vector<pending_request> cut();

    asio_loop& owner_;
    const std::unique_ptr<upstream> upstream_;
    const milliseconds interval_;
    std::vector<std::shared_ptr<upstream_connection>> connections_;
    std::vector<idle_connection> idle_; // the most recently used at the end
    std::deque<pending_request> queue_;
    std::size_t opening_ = 0;
    steady_time reopen_at_ = steady_time::min();
    loop::timer_id sweep_timer_ = 0;
    bool stopped_ = false;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

void answer_failed(const std::function<void(answer)>& done, transport_error what, const std::string& detail,
                   steady_time begun) {
    answer made;
    made.failure = what;
    made.detail = detail;
    made.duration = steady_clock::now() - begun;
    done(std::move(made));
}

void pooled_client::send(outgoing request, std::function<void(answer)> done) {
    pending_request added{std::move(request), std::move(done), steady_clock::now()};
    if (stopped_) {
        owner_.post([held = std::make_shared<pending_request>(std::move(added))] {
            answer_failed(held->done, transport_error::stopped, "the client was stopped", held->begun);
        });
        return;
    }
    queue_.push_back(std::move(added));
    dispatch();
}

// Gives waiting requests to idle connections and opens new ones for the rest.
void pooled_client::dispatch() {
    while (!queue_.empty()) {
        upstream_connection* which = take_idle();
        if (which == nullptr) {
            break;
        }
        auto next = std::move(queue_.front());
        queue_.pop_front();
        which->carry(std::move(next));
    }
    while (opening_ < std::min(max_opening, queue_.size()) &&
           connections_.size() < upstream_->settings.connections && steady_clock::now() >= reopen_at_) {
        open_one();
    }
}

upstream_connection* pooled_client::take_idle() {
    while (!idle_.empty()) {
        const auto [which, since] = idle_.back();
        idle_.pop_back();
        if (steady_clock::now() - since < assumed_fresh_for || which->is_fresh()) {
            return which;
        }
        which->close();
        remove(*which);
    }
    return nullptr;
}

void pooled_client::open_one() {
    connections_.push_back(std::make_shared<upstream_connection>(owner_, *upstream_, *this));
    ++opening_;
    connections_.back()->open();
    keep_sweeping();
}

void pooled_client::remove(upstream_connection& which) {
    std::erase_if(idle_, [&](const idle_connection& each) { return each.which == &which; });
    std::erase_if(connections_, [&](const auto& each) { return each.get() == &which; });
}

void pooled_client::opened(upstream_connection& which) {
    --opening_;
    idle(which);
}

void pooled_client::idle(upstream_connection& which) {
    idle_.push_back({&which, steady_clock::now()});
    dispatch();
}

void pooled_client::closed(upstream_connection& which) {
    remove(which);
    dispatch();
}

// With no other connection in sight, what waited since before the attempt began has had its try. Otherwise it
// waits for the others.
void pooled_client::not_opened(upstream_connection& which, transport_error what, std::string detail) {
    --opening_;
    const auto since = which.opening_since();
    remove(which);
    if (!connections_.empty()) {
        reopen_at_ = steady_clock::now() + reopen_pause;
        return;
    }
    reopen_at_ = steady_time::min();
    std::vector<pending_request> failed;
    while (!queue_.empty() && queue_.front().begun <= since) {
        failed.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    dispatch();
    for (const auto& each : failed) {
        answer_failed(each.done, what, detail, each.begun);
    }
}

void pooled_client::keep_sweeping() {
    if (sweep_timer_ == 0) {
        sweep_timer_ = owner_.call_at(steady_clock::now() + interval_, [this] { sweep(); });
    }
}

void pooled_client::sweep() {
    sweep_timer_ = 0;
    const auto now = steady_clock::now();
    const auto all = connections_;               // they may leave while we look,
    const std::weak_ptr<char> ourselves(alive_); // and so may we
    for (const auto& each : all) {
        each->tick(now);
        if (ourselves.expired()) {
            return;
        }
    }
    dispatch();
    if (!connections_.empty() || !queue_.empty()) {
        keep_sweeping();
    }
}

std::vector<pending_request> pooled_client::cut() {
    stopped_ = true;
    if (sweep_timer_ != 0) {
        owner_.cancel(std::exchange(sweep_timer_, 0));
    }
    std::vector<pending_request> cut_off;
    for (const auto& each : std::exchange(connections_, {})) {
        auto in_hand = each->close();
        if (in_hand.done) {
            cut_off.push_back(std::move(in_hand));
        }
    }
    for (auto& each : std::exchange(queue_, {})) {
        cut_off.push_back(std::move(each));
    }
    idle_.clear();
    opening_ = 0;
    return cut_off;
}

void pooled_client::stop() {
    for (const auto& each : cut()) {
        answer_failed(each.done, transport_error::stopped, "the client was stopped", each.begun);
    }
}

} // namespace

const char* word_for(transport_error what) noexcept {
    switch (what) {
    case transport_error::none:
        return "none";
    case transport_error::resolve:
        return "resolve";
    case transport_error::connect:
        return "connect";
    case transport_error::tls:
        return "tls";
    case transport_error::proxy:
        return "proxy";
    case transport_error::timeout:
        return "timeout";
    case transport_error::reset:
        return "reset";
    case transport_error::malformed:
        return "malformed";
    case transport_error::too_large:
        return "too_large";
    case transport_error::stopped:
        return "stopped";
    }
    return "unknown";
}

result<std::unique_ptr<client>> client::make(asio_loop& owner, const client_settings& options) {
    auto to = upstream::make(owner, options);
    if (!to) {
        return to.error();
    }
    return std::unique_ptr<client>(std::make_unique<pooled_client>(owner, std::move(*to)));
}

} // namespace linkrunner::net
