// The other half of a connection: how its answers are written.
#include "net/connection.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace linkrunner::net {
namespace {

constexpr std::uint64_t free_body_bytes = 64 * 1024; // of a refused request: read, to keep the connection
constexpr std::size_t read_bytes = 1024;
constexpr std::chrono::milliseconds linger_time{2'000};

} // namespace

// What a handler keeps of an answer that goes on.
class connection::stream final : public body_stream {
  public:
    stream(std::weak_ptr<connection> of, std::uint64_t number) : owner_(std::move(of)), number_(number) {}
    ~stream() override { stream::end(); }

    bool is_open() const override { return connection_here() != nullptr; }
    std::size_t unsent_bytes() const override {
        const auto owner = connection_here();
        return owner ? owner->out_body_.size() - owner->written_ : 0;
    }
    void send(std::string_view text) override {
        const auto owner = connection_here();
        if (!owner || text.empty()) {
            return;
        }
        if (owner->reader_.is_http_1_0()) { // knows no chunks: the end of the connection ends the body
            owner->out_body_ += text;
        } else {
            std::array<char, 24> size{};
            std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
            owner->out_body_ += size.data();
            owner->out_body_ += text;
            owner->out_body_ += "\r\n";
        }
        owner->stream_on();
    }
    void end() override {
        if (const auto owner = connection_here()) {
            owner->stream_ending_ = true;
            owner->out_body_ += owner->reader_.is_http_1_0() ? "" : "0\r\n\r\n";
            owner->stream_on();
        }
    }

  private:
    std::shared_ptr<connection> connection_here() const {
        auto owner = owner_.lock();
        const bool here = owner && owner->phase_ == phase::streaming && owner->exchange_ == number_ &&
                          !owner->stream_ending_;
        return here ? owner : nullptr;
    }

    std::weak_ptr<connection> owner_;
    std::uint64_t number_;
};

bool connection::fail() {
    const auto& why = reader_.why();
    return fail(why.status, why.code, why.message);
}

bool connection::fail(int status, std::string_view code, std::string_view message) {
    send(host_->handler.protocol_error(status, code, message), after_write::hang_up);
    return false;
}

// Answers without the body having been read. A small one is read and thrown away to keep the connection; a
// client that waits for 100 Continue may never send it (RFC 9110 section 10.1.1).
bool connection::refuse(response answer) {
    if (!reader_.wants_body()) {
        send(std::move(answer), after_write::next_request);
        return phase_ == phase::idle;
    }
    if (reader_.expects_continue() || reader_.content_length().value_or(0) > free_body_bytes) {
        send(std::move(answer), after_write::hang_up);
        return false;
    }
    reader_.discard_body();
    send(std::move(answer), after_write::discard_body);
    return phase_ == phase::discarding;
}

bool connection::discard() {
    const auto [what, consumed] = reader_.read_body(inbox_.readable());
    inbox_.consume(consumed);
    if (what == request_reader::progress::whole) {
        phase_ = phase::idle;
        return true;
    }
    if (what == request_reader::progress::bad || reader_.body_bytes_read() > free_body_bytes || ended_) {
        hang_up();
    } else {
        read_more(read_bytes);
    }
    return false;
}

void connection::send(response given, after_write then) {
    if (then == after_write::next_request && !keep_alive_ && inbox_.empty()) {
        then = after_write::close;
    } else if (given.close || !keep_alive_ || retiring_ || host_->stopping ||
               (host_->winding_down && inbox_.empty())) {
        then = after_write::hang_up;
    }
    if (given.stream) {
        stream_begin_ = std::move(given.stream);
        then = after_write::stream;
    }
    const bool last = then != after_write::next_request && then != after_write::discard_body;
    const auto words = last                    ? persistence::close
                       : reader_.is_http_1_0() ? persistence::keep_http_1_0
                                               : persistence::keep;
    const auto length = then != after_write::stream ? body_length::known
                        : reader_.is_http_1_0()     ? body_length::by_end
                                                    : body_length::in_chunks;
    write_head(out_head_, given, words, length, host_->date.now());
    if (reader_.method() == "HEAD" || !may_have_body(given.status)) {
        out_body_.clear();
    } else {
        out_body_ = std::move(given.body);
    }
    release_share();
    written_ = 0;
    then_ = then;
    phase_ = phase::writing;
    write_on();
}

void connection::write_on() {
    const auto total = out_head_.size() + out_body_.size();
    while (written_ < total) {
        const auto head = std::string_view(out_head_).substr(std::min(written_, out_head_.size()));
        const auto body =
            std::string_view(out_body_).substr(written_ > out_head_.size() ? written_ - out_head_.size() : 0);
        const auto [status, bytes] = head.empty() ? transport_.write(body, {}) : transport_.write(head, body);
        if (status == io_status::failed) {
            close();
            return;
        }
        if (status == io_status::blocked) {
            deadline_in(host_->settings.request_timeout); // counted from the last progress
            transport_.start_writable(shared_from_this());
            return;
        }
        written_ += bytes;
    }
    written();
}

void connection::on_writable() {
    if (phase_ == phase::streaming) {
        stream_blocked_ = false;
        stream_on();
        return;
    }
    if (phase_ != phase::writing) {
        return;
    }
    write_on();
    advance();
}

void connection::written() {
    switch (then_) {
    case after_write::next_request:
        phase_ = phase::idle;
        break;
    case after_write::read_body:
        phase_ = phase::body;
        break;
    case after_write::discard_body:
        phase_ = phase::discarding;
        break;
    case after_write::stream:
        begin_stream();
        break;
    case after_write::hang_up:
        hang_up();
        break;
    case after_write::close:
        close();
        break;
    }
}

void connection::begin_stream() {
    phase_ = phase::streaming;
    deadline_ = steady_time::max(); // a client may stop reading for as long as it likes
    out_body_.clear();
    written_ = 0;
    const auto begin = std::exchange(stream_begin_, {});
    begin(std::make_shared<stream>(weak_from_this(), exchange_));
}

void connection::stream_on() {
    while (!stream_blocked_ && written_ < out_body_.size()) {
        const auto [status, bytes] = transport_.write(std::string_view(out_body_).substr(written_), {});
        if (status == io_status::failed) {
            close();
            return;
        }
        if (status == io_status::blocked) {
            stream_blocked_ = true;
            out_body_.erase(0, std::exchange(written_, 0));
            transport_.start_writable(shared_from_this());
            return;
        }
        written_ += bytes;
    }
    if (stream_blocked_) {
        return;
    }
    out_body_.clear();
    written_ = 0;
    if (stream_ending_) {
        hang_up();
    }
}

// Closing while the peer still sends would make the kernel answer with a reset, which may destroy the answer
// before it was read (RFC 9112 section 9.6).
void connection::hang_up() {
    transport_.shutdown_write();
    if (ended_) {
        close();
        return;
    }
    phase_ = phase::lingering;
    inbox_.consume(inbox_.readable().size());
    deadline_in(linger_time);
    if (!reading_) {
        read_more(read_bytes);
    }
}

} // namespace linkrunner::net
