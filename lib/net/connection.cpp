#include "net/connection.hpp"

#include "net/peer.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::net {
namespace {

constexpr std::uint64_t free_body_bytes = 64 * 1024; // smaller bodies need nothing of the pool
constexpr std::size_t read_bytes = 1024;             // room that a read needs at least, in a head
constexpr std::size_t body_read_bytes = 64 * 1024;
constexpr int requests_per_turn = 32; // of one pipelining client, then others get their turn

} // namespace

// One request handed to the handler. If the handler lets go of its responder without an answer, nothing would
// ever come: the connection is closed.
struct connection::exchange {
    exchange(std::shared_ptr<connection> of, std::uint64_t number_given)
        : owner(std::move(of)), number(number_given) {}
    ~exchange() { owner->dropped(number); }
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    std::shared_ptr<connection> owner;
    std::uint64_t number;
};

connection::connection(connection_host& host, std::shared_ptr<const listener_info> listener)
    : host_(&host),
      reader_(std::move(listener), host.settings.max_header_bytes, host.settings.max_body_bytes) {}

void connection::serve(stream_socket socket, ssl_pointer session) {
    reader_.set_peer(peer_of(socket.native_handle()));
    transport_.open(std::move(socket));
    if (session) {
        phase_ = phase::handshake;
        deadline_in(host_->settings.request_timeout);
        transport_.secure(shared_from_this(), std::move(session));
    } else {
        advance();
    }
}

void connection::turn_away(stream_socket socket, bool admitted) {
    turned_away_ = true;
    transport_.open(std::move(socket));
    if (admitted) {
        fail(503, "too_many_connections", "too many connections are open; try again later");
    } else {
        fail(403, "forbidden_user",
             "the user of this process may not post here; see allow_uids and allow_gids");
    }
}

void connection::deadline_in(std::chrono::milliseconds span) {
    deadline_ = now() + span;
}

void connection::on_secured(const std::string& failure) {
    if (!failure.empty() || closes_when_idle()) {
        close();
        return;
    }
    phase_ = phase::idle;
    advance();
}

void connection::read_more(std::size_t wanted) {
    reading_ = true;
    transport_.start_read(shared_from_this(), inbox_.prepare(wanted));
}

void connection::on_read(io_status status, std::size_t bytes) {
    reading_ = false;
    if (status == io_status::failed) {
        close();
        return;
    }
    if (phase_ == phase::lingering) {
        if (status == io_status::ok) {
            read_more(read_bytes); // what was read is overwritten
        } else {
            close();
        }
        return;
    }
    if (status == io_status::ok) {
        inbox_.commit(bytes);
    } else {
        ended_ = true;
    }
    advance();
}

void connection::advance() {
    if (advancing_) {
        return;
    }
    advancing_ = true;
    const auto self = shared_from_this(); // a step may close the connection
    const auto first = exchange_;
    while (step()) {
        if (phase_ == phase::idle && exchange_ - first >= requests_per_turn && !inbox_.empty()) {
            host_->later([self] { self->advance(); });
            break;
        }
    }
    advancing_ = false;
}

// Does what can be done now; true when there may be more.
bool connection::step() {
    if (reading_) {
        return false;
    }
    switch (phase_) {
    case phase::idle:
        return begin_request();
    case phase::head:
        return read_head();
    case phase::body:
        return read_body();
    case phase::discarding:
        return discard();
    default:
        return false;
    }
}

bool connection::begin_request() {
    // RFC 9112 section 2.2: empty lines before a request are ignored.
    const auto bytes = inbox_.readable();
    inbox_.consume(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
    if (inbox_.empty()) {
        if (ended_ || closes_when_idle()) {
            close();
        } else {
            inbox_.shrink();
            idle_since_ = now();
            deadline_in(host_->stopping ? host_->stop_grace : host_->settings.idle_timeout);
            read_more(read_bytes);
        }
        return false;
    }
    if (!host_->handler.may_read()) {
        phase_ = phase::paused;
        deadline_ = steady_time::max();
        host_->paused(shared_from_this());
        return false;
    }
    reader_.begin();
    reader_.limit_body(host_->settings.max_body_bytes);
    phase_ = phase::head;
    deadline_in(host_->settings.request_timeout);
    return true;
}

void connection::resume() {
    if (phase_ == phase::paused) {
        phase_ = phase::idle;
        advance();
    }
}

bool connection::read_head() {
    const auto [what, consumed] = reader_.read_head(inbox_.readable());
    inbox_.consume(consumed);
    switch (what) {
    case request_reader::progress::head:
        return head_complete();
    case request_reader::progress::bad:
        return fail();
    default:
        break;
    }
    if (ended_) {
        close();
    } else {
        read_more(read_bytes);
    }
    return false;
}

bool connection::head_complete() {
    keep_alive_ = reader_.keep_alive();
    if (auto refusal = host_->handler.refuse_early(reader_)) {
        return refuse(std::move(*refusal));
    }
    if (reader_.lacks_length()) {
        return fail(411, "length_required", "the request needs Content-Length or chunked encoding");
    }
    if (!reader_.wants_body()) {
        return handle();
    }
    const auto length = reader_.content_length();
    if (length && *length > host_->settings.max_body_bytes) {
        return read_body(); // which knows the words
    }
    if (length && *length > free_body_bytes) {
        return wait_for_pool(*length);
    }
    return body_begins();
}

// The body is read from here on. A client that waits for leave to send it gets it now.
bool connection::body_begins() {
    phase_ = phase::body;
    if (!reader_.expects_continue() || !inbox_.empty() || reader_.body_bytes_read() > 0) {
        return true;
    }
    out_head_ = "HTTP/1.1 100 Continue\r\n\r\n";
    out_body_.clear();
    written_ = 0;
    then_ = after_write::read_body;
    phase_ = phase::writing;
    write_on();
    return phase_ == phase::body;
}

bool connection::wait_for_pool(std::uint64_t bytes) {
    const auto share = host_->pool.share_of(bytes);
    if (host_->pool.take(share)) {
        share_ = share;
        return body_begins();
    }
    phase_ = phase::pool_wait;
    left_ = deadline_ - now(); // the wait is our doing, not the client's
    deadline_ = steady_time::max();
    host_->pool.wait(this, share, [self = shared_from_this(), share] {
        self->share_ = share;
        self->deadline_ = self->now() + self->left_;
        self->host_->later([self] {
            if (self->phase_ == phase::pool_wait && self->body_begins()) {
                self->advance();
            }
        });
    });
    return false;
}

bool connection::read_body() {
    auto bytes = inbox_.readable();
    if (share_ == 0 && !reader_.content_length()) { // of unknown size: stop soon after it needs the pool
        if (reader_.body_bytes_read() >= free_body_bytes) {
            return wait_for_pool(host_->settings.max_body_bytes);
        }
        bytes = bytes.substr(0, free_body_bytes);
    }
    const auto [what, consumed] = reader_.read_body(bytes);
    inbox_.consume(consumed);
    switch (what) {
    case request_reader::progress::whole:
        return handle();
    case request_reader::progress::bad:
        return fail();
    default:
        break;
    }
    if (consumed > 0 && !inbox_.empty()) {
        return true;
    }
    if (ended_) {
        close();
    } else {
        const auto left = reader_.content_length().value_or(body_read_bytes) - reader_.body_bytes_read();
        read_more(std::clamp<std::uint64_t>(left, read_bytes, body_read_bytes));
    }
    return false;
}

bool connection::handle() {
    phase_ = phase::handling;
    deadline_ = steady_time::max();
    const auto number = ++exchange_;
    const auto held = std::make_shared<exchange>(shared_from_this(), number);
    host_->handler.handle(
        reader_, responder([held](response given) { held->owner->answer(held->number, std::move(given)); },
                           [held] { return held->owner->client_waits(); }));
    return phase_ == phase::idle || phase_ == phase::discarding;
}

bool connection::client_waits() const {
    return phase_ != phase::closed && !transport_.is_ended();
}

void connection::answer(std::uint64_t number, response given) {
    if (phase_ != phase::handling || number != exchange_) {
        return;
    }
    send(std::move(given), after_write::next_request);
    if (advancing_ || phase_ != phase::idle) {
        return;
    }
    // The answer came later. The next request must not be handled from within the caller, which is likely
    // to be in the middle of answering several.
    if (inbox_.empty()) {
        begin_request();
    } else {
        host_->later([self = shared_from_this()] { self->advance(); });
    }
}

void connection::dropped(std::uint64_t number) {
    if (phase_ == phase::handling && number == exchange_) {
        close();
    }
}

void connection::drain() {
    const bool idle = phase_ == phase::idle && inbox_.empty() && transport_.is_quiet();
    if (phase_ == phase::streaming || (closes_when_idle() && (phase_ == phase::handshake || idle))) {
        close();
    } else if (idle) {
        deadline_ = std::min(deadline_, idle_since_ + host_->stop_grace);
    } else if (phase_ == phase::handshake) {
        deadline_ = std::min(deadline_, now() + host_->stop_grace);
    }
}

void connection::tick(steady_time at) {
    if (phase_ == phase::handling && swept_exchange_ == exchange_ && transport_.is_hung_up()) {
        close();
        return;
    }
    if (phase_ == phase::streaming && (transport_.is_hung_up() || transport_.is_ended())) {
        close();
        return;
    }
    swept_exchange_ = exchange_;
    if (at < deadline_) {
        return;
    }
    if (phase_ == phase::idle && !transport_.is_quiet()) {
        return; // what has come is about to be read
    }
    if ((phase_ == phase::head || phase_ == phase::body) && !ended_) {
        fail(408, "request_timeout", "the request did not come whole in time");
    } else {
        close();
    }
}

void connection::release_share() {
    if (share_ > 0) {
        host_->pool.give_back(std::exchange(share_, 0));
    }
}

void connection::close() {
    if (phase_ == phase::closed) {
        return;
    }
    if (phase_ == phase::pool_wait) {
        host_->pool.forget(this);
    }
    release_share();
    phase_ = phase::closed;
    transport_.close();
    std::exchange(host_, nullptr)->closed(*this);
}

} // namespace linkrunner::net
