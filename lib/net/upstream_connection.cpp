#include "net/upstream_connection.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::net {
namespace {

constexpr std::size_t read_bytes = 2 * 1024; // room that a read needs at least

std::string in_words(std::chrono::milliseconds span) {
    return std::to_string(span.count()) + " ms";
}

} // namespace

upstream_connection::upstream_connection(asio_loop& owner, upstream& of, upstream_host& host)
    : owner_(owner), upstream_(of), host_(&host),
      reader_(of.settings.max_header_bytes, of.settings.max_answer_bytes) {}

void upstream_connection::open() {
    opening_since_ = std::chrono::steady_clock::now();
    deadline_ = opening_since_ + upstream_.settings.connect_timeout;
    connector_ = std::make_shared<connector>(owner_);
    connector_->start(*upstream_.names, [weak = weak_from_this()](std::optional<stream_socket> socket,
                                                                  transport_error what, std::string detail) {
        if (const auto self = weak.lock()) {
            self->connected(std::move(socket), what, std::move(detail));
        }
    });
}

void upstream_connection::connected(std::optional<stream_socket> socket, transport_error what,
                                    std::string detail) {
    if (!socket) {
        const bool at_proxy = upstream_.proxy.has_value();
        not_opened(at_proxy ? transport_error::proxy : what, (at_proxy ? "proxy: " : "") + detail);
        return;
    }
    connector_.reset();
    transport_.open(std::move(*socket));
    if (!upstream_.through_tunnel()) {
        connected_through();
        return;
    }
    phase_ = phase::proxy;
    upstream_.write_connect(out_head_);
    written_ = 0;
    reader_.begin(true);
    read_more();
    write_on();
}

void upstream_connection::connected_through() {
    if (!upstream_.tls) {
        ready();
        return;
    }
    phase_ = phase::securing;
    transport_.secure(shared_from_this(), upstream_.tls->session());
}

void upstream_connection::proxy_answered(io_status status) {
    if (status != io_status::ok) {
        not_opened(transport_error::proxy, "the proxy closed the connection");
        return;
    }
    const auto [what, consumed] = reader_.read(inbox_.readable());
    inbox_.consume(consumed);
    if (what == answer_reader::progress::need_more) {
        read_more();
    } else if (what != answer_reader::progress::whole || (reader_.status() / 100 == 2 && !inbox_.empty())) {
        not_opened(transport_error::proxy, "the proxy's answer to CONNECT is malformed");
    } else if (reader_.status() / 100 != 2) {
        not_opened(transport_error::proxy, "the proxy answered CONNECT " + upstream_.target.connect_name() +
                                               " with " + std::to_string(reader_.status()));
    } else {
        connected_through();
    }
}

void upstream_connection::on_secured(const std::string& failure) {
    if (failure.empty()) {
        ready();
        return;
    }
    upstream_.tls->forget_session();
    not_opened(transport_error::tls, "TLS with " + upstream_.target.connect_name() + ": " + failure);
}

void upstream_connection::ready() {
    phase_ = phase::idle;
    deadline_ = std::chrono::steady_clock::now() + upstream_.settings.idle_timeout;
    const auto self = shared_from_this();
    read_more(); // tells when the peer closes an idle connection
    host_->opened(*this);
}

void upstream_connection::not_opened(transport_error what, std::string detail) {
    const auto self = shared_from_this();
    auto* host = host_;
    close();
    host->not_opened(*this, what, std::move(detail));
}

void upstream_connection::read_more() {
    transport_.start_read(shared_from_this(), inbox_.prepare(read_bytes));
}

void upstream_connection::carry(pending_request what) {
    phase_ = phase::busy;
    in_hand_ = std::move(what);
    upstream_.write_head(out_head_, in_hand_.request);
    written_ = 0;
    deadline_ = std::chrono::steady_clock::now() + upstream_.settings.request_timeout;
    reader_.begin(in_hand_.request.method == "HEAD");
    write_on();
}

// A failed write is not the end: the peer may have answered before it closed. The read under way tells.
void upstream_connection::write_on() {
    const std::string_view head = out_head_, body = in_hand_.request.body;
    while (written_ < head.size() + body.size() && !write_failed_) {
        const auto [status, bytes] = written_ < head.size()
                                         ? transport_.write(head.substr(written_), body)
                                         : transport_.write(body.substr(written_ - head.size()), {});
        written_ += bytes;
        write_failed_ = status == io_status::failed;
        if (status == io_status::blocked) {
            transport_.start_writable(shared_from_this());
            return;
        }
    }
}

void upstream_connection::on_writable() {
    if (phase_ == phase::busy || phase_ == phase::proxy) {
        write_on();
    }
}

void upstream_connection::on_read(io_status status, std::size_t bytes) {
    inbox_.commit(bytes);
    if (phase_ == phase::proxy) {
        proxy_answered(status);
    } else if (phase_ == phase::idle) {
        const auto self = shared_from_this();
        auto* host = host_;
        close();
        host->closed(*this);
    } else if (status == io_status::ok) {
        answer_bytes();
    } else {
        stream_ended(status);
    }
}

void upstream_connection::answer_bytes() {
    const auto [what, consumed] = reader_.read(inbox_.readable());
    inbox_.consume(consumed);
    switch (what) {
    case answer_reader::progress::need_more:
        read_more();
        break;
    case answer_reader::progress::whole:
        answered();
        break;
    case answer_reader::progress::malformed:
        finish(transport_error::malformed, "malformed answer: " + reader_.why());
        break;
    case answer_reader::progress::too_large:
        finish(transport_error::too_large, "the answer has " + reader_.why());
        break;
    }
}

// Nobody can have done what was asked before having all of it: a success that comes earlier is a mistake, and
// to believe it could lose an event.
void upstream_connection::answered() {
    if (reader_.status() / 100 == 2 && !is_sent_whole()) {
        finish(transport_error::malformed,
               "success (" + std::to_string(reader_.status()) + ") before the request was sent whole");
    } else {
        finish(transport_error::none, {});
    }
}

// Only where the peer ended TLS properly is the end of the stream the end of an answer without a length.
void upstream_connection::stream_ended(io_status status) {
    if (status == io_status::end && reader_.end_of_stream()) {
        answered();
    } else if (status == io_status::failed) {
        finish(transport_error::reset, transport_.failure());
    } else {
        finish(transport_error::reset, reader_.begun() ? "the connection was closed within the answer"
                                                       : "the connection was closed without an answer");
    }
}

answer upstream_connection::make_answer(transport_error what, std::string detail) {
    answer made;
    made.failure = what;
    made.detail = std::move(detail);
    made.sent_whole = is_sent_whole();
    made.reused = carried_before_;
    made.answer_begun = reader_.begun();
    made.duration = std::chrono::steady_clock::now() - in_hand_.begun;
    if (what == transport_error::none) {
        auto& fields = reader_.headers();
        made.status = reader_.status();
        made.retry_after = std::move(fields.retry_after);
        made.date = std::move(fields.date);
        made.ratelimit = std::move(fields.ratelimit);
        made.ratelimit_policy = std::move(fields.ratelimit_policy);
        made.ratelimit_limit = std::move(fields.ratelimit_limit);
        made.ratelimit_remaining = std::move(fields.ratelimit_remaining);
        made.ratelimit_reset = std::move(fields.ratelimit_reset);
        made.body = std::move(reader_.body());
    }
    return made;
}

// The pool learns first, so that a request sent from within `done` finds this connection again.
void upstream_connection::finish(transport_error what, std::string detail) {
    const auto self = shared_from_this();
    auto made = make_answer(what, std::move(detail));
    const auto done = std::move(in_hand_.done);
    in_hand_ = {};
    if (what == transport_error::timeout) {
        transport_.abort(); // or the kernel sends on, and the request may arrive behind its own repetition
    }
    const bool reusable = what == transport_error::none && made.sent_whole && reader_.keep_alive() &&
                          inbox_.empty() && !upstream_.one_request_each();
    carried_before_ = true;
    if (reusable) {
        phase_ = phase::idle;
        deadline_ = std::chrono::steady_clock::now() + upstream_.settings.idle_timeout;
        read_more();
        host_->idle(*this);
    } else {
        auto* host = host_;
        close();
        host->closed(*this);
    }
    done(std::move(made));
}

void upstream_connection::tick(steady_time now) {
    if (now < deadline_) {
        return;
    }
    const auto self = shared_from_this();
    switch (phase_) {
    case phase::connecting:
        not_opened(transport_error::timeout, "no " + connector_->waiting_for() + " within " +
                                                 in_words(upstream_.settings.connect_timeout));
        break;
    case phase::proxy:
    case phase::securing:
        not_opened(transport_error::timeout,
                   std::string(phase_ == phase::proxy ? "no answer of the proxy" : "no TLS handshake") +
                       " within " + in_words(upstream_.settings.connect_timeout));
        break;
    case phase::idle: {
        auto* host = host_;
        close();
        host->closed(*this);
        break;
    }
    case phase::busy:
        finish(transport_error::timeout,
               "no whole answer within " + in_words(upstream_.settings.request_timeout));
        break;
    case phase::closed:
        break;
    }
}

pending_request upstream_connection::close() {
    phase_ = phase::closed;
    host_ = nullptr;
    if (connector_) {
        connector_->stop();
        connector_.reset();
    }
    transport_.close();
    return std::exchange(in_hand_, {});
}

} // namespace linkrunner::net
