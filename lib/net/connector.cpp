#include "net/connector.hpp"

#include "net/listening_socket.hpp"

#include <boost/asio/generic/basic_endpoint.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <utility>

namespace linkrunner::net {
namespace {

constexpr std::chrono::milliseconds next_address_after{250}; // RFC 8305 section 5

} // namespace

void connector::start(name_lookup& names, outcome done) {
    done_ = std::move(done);
    host_ = names.host();
    names.ask([self = shared_from_this()](const name_lookup::found& what) { self->resolved(what); });
}

void connector::stop() {
    done_ = nullptr;
    if (next_timer_ != 0) {
        owner_.cancel(std::exchange(next_timer_, 0));
    }
    attempts_.clear();
}

std::string connector::waiting_for() const {
    if (addresses_.empty()) {
        return "address of " + host_;
    }
    const auto& last = addresses_[attempts_.empty() ? 0 : attempts_.size() - 1];
    return "connection to " + text_of(last.storage, last.length);
}

void connector::resolved(const name_lookup::found& what) {
    if (!done_) {
        return;
    }
    if (what.addresses.empty()) {
        finish(std::nullopt, transport_error::resolve, "look up " + host_ + ": " + what.failure);
        return;
    }
    addresses_ = what.addresses;
    attempts_.reserve(addresses_.size());
    try_next();
}

void connector::try_next() {
    next_timer_ = 0;
    const auto which = attempts_.size();
    const auto& address = addresses_[which];
    auto& socket = attempts_.emplace_back(std::in_place, owner_.context());
    ++under_way_;
    const boost::asio::generic::stream_protocol::endpoint peer(&address.storage, address.length);
    boost::system::error_code failure;
    socket->open(peer.protocol(), failure);
    if (!failure) {
        socket->set_option(boost::asio::ip::tcp::no_delay(true), failure);
        socket->async_connect(peer, [self = shared_from_this(), which](boost::system::error_code why) {
            self->connected(which, why);
        });
    } else {
        owner_.post([self = shared_from_this(), which, failure] { self->connected(which, failure); });
    }
    if (attempts_.size() < addresses_.size()) {
        next_timer_ = owner_.call_at(std::chrono::steady_clock::now() + next_address_after,
                                     [self = shared_from_this()] { self->try_next(); });
    }
}

void connector::connected(std::size_t which, const boost::system::error_code& failure) {
    if (!done_) {
        return;
    }
    if (!failure) {
        auto socket = std::move(attempts_[which]);
        finish(std::move(socket), transport_error::none, {});
        return;
    }
    last_failure_ = "connect to " + text_of(addresses_[which].storage, addresses_[which].length) + ": " +
                    failure.message();
    attempts_[which].reset();
    --under_way_;
    if (attempts_.size() < addresses_.size()) {
        if (next_timer_ != 0) {
            owner_.cancel(next_timer_);
        }
        try_next();
    } else if (under_way_ == 0) {
        finish(std::nullopt, transport_error::connect, std::move(last_failure_));
    }
}

void connector::finish(std::optional<stream_socket> socket, transport_error what, std::string detail) {
    const auto done = std::move(done_);
    stop();
    done(std::move(socket), what, std::move(detail));
}

} // namespace linkrunner::net
