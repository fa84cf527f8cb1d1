#include "net/transport.hpp"

#include "net/socket_bio.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace linkrunner::net {
namespace {

using boost::system::error_code;

constexpr std::size_t tls_record_bytes = 16 * 1024; // RFC 8446 section 5.1

std::string words_for(int number) {
    return error_code(number, boost::system::system_category()).message();
}

std::string tls_failure(SSL* session) {
    const long verdict = SSL_get_verify_result(session);
    if (verdict != X509_V_OK) {
        return std::string("certificate not accepted: ") + X509_verify_cert_error_string(verdict);
    }
    const auto code = ERR_peek_last_error();
    if (code == 0) {
        return "closed by the peer";
    }
    const char* reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : "unknown TLS error";
}

} // namespace

void ssl_deleter::operator()(ssl_st* session) const noexcept {
    SSL_free(session);
}

// One handler type each, so that Asio's machinery is instantiated once.
struct transport::read_done {
    std::shared_ptr<transport_user> user;
    transport* self;
    void operator()(error_code failure, std::size_t bytes) const {
        if (!self->is_open()) {
            return;
        }
        if (!failure) {
            user->on_read(io_status::ok, bytes);
        } else if (failure == boost::asio::error::eof) {
            user->on_read(io_status::end, 0);
        } else {
            self->failure_ = failure.message();
            user->on_read(io_status::failed, 0);
        }
    }
};

struct transport::ready {
    std::shared_ptr<transport_user> user;
    transport* self;
    need what;
    bool for_read;
    void operator()(error_code failure = {}) const {
        if (!self->is_open() || failure == boost::asio::error::operation_aborted) {
            return;
        }
        if (self->handshaking_) {
            self->handshake(user);
        } else if (for_read) {
            self->read_secure(user);
        } else {
            user->on_writable();
        }
    }
};

transport::~transport() {
    close();
}

void transport::open(stream_socket socket) {
    socket_.emplace(std::move(socket));
}

int transport::descriptor() const {
    return const_cast<stream_socket&>(*socket_).native_handle(); // Asio's accessor is not const
}

void transport::secure(const std::shared_ptr<transport_user>& user, ssl_pointer session) {
    session_ = std::move(session);
    attach_socket(session_.get(), descriptor());
    handshaking_ = true;
    // Never from within the caller, which may still be setting things up.
    boost::asio::post(socket_->get_executor(), ready{user, this, need::read, true});
}

void transport::handshake(const std::shared_ptr<transport_user>& user) {
    ERR_clear_error();
    const int returned = SSL_do_handshake(session_.get());
    if (returned == 1) {
        handshaking_ = false;
        user->on_secured({});
        return;
    }
    const int what = SSL_get_error(session_.get(), returned);
    if (what == SSL_ERROR_WANT_READ) {
        socket_->async_wait(stream_socket::wait_read, ready{user, this, need::read, true});
    } else if (what == SSL_ERROR_WANT_WRITE) {
        socket_->async_wait(stream_socket::wait_write, ready{user, this, need::write, true});
    } else {
        broken_ = true;
        failure_ = tls_failure(session_.get());
        ERR_clear_error();
        user->on_secured(failure_);
    }
}

void transport::start_read(const std::shared_ptr<transport_user>& user, boost::asio::mutable_buffer into) {
    if (!session_) {
        socket_->async_receive(into, read_done{user, this});
        return;
    }
    into_ = into;
    if (SSL_has_pending(session_.get()) == 1) {
        boost::asio::post(socket_->get_executor(), ready{user, this, need::read, true});
    } else {
        socket_->async_wait(stream_socket::wait_read, ready{user, this, need::read, true});
    }
}

void transport::read_secure(const std::shared_ptr<transport_user>& user) {
    const auto done = read_some_secure();
    if (done.status != io_status::blocked) {
        user->on_read(done.status, done.bytes);
    } else if (wanted_ == need::read) {
        socket_->async_wait(stream_socket::wait_read, ready{user, this, need::read, true});
    } else {
        socket_->async_wait(stream_socket::wait_write, ready{user, this, need::write, true});
    }
}

io_result transport::read_some_secure() {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_read_ex(session_.get(), into_.data(), into_.size(), &bytes);
    if (returned == 1) {
        return {io_status::ok, bytes};
    }
    return secure_result(returned);
}

io_result transport::secure_result(int returned) {
    const int number = errno;
    switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
        wanted_ = need::read;
        return {io_status::blocked, 0};
    case SSL_ERROR_WANT_WRITE:
        wanted_ = need::write;
        return {io_status::blocked, 0};
    case SSL_ERROR_ZERO_RETURN:
        return {io_status::end, 0};
    case SSL_ERROR_SYSCALL:
        failure_ = words_for(number);
        break;
    default:
        failure_ = tls_failure(session_.get());
        if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            broken_ = true;
            ERR_clear_error();
            return {io_status::truncated, 0};
        }
        break;
    }
    broken_ = true;
    ERR_clear_error();
    return {io_status::failed, 0};
}

io_result transport::write(std::string_view first, std::string_view second) {
    return session_ ? write_secure(first, second) : write_plain(first, second);
}

io_result transport::write_plain(std::string_view first, std::string_view second) {
    std::array<iovec, 2> pieces{iovec{const_cast<char*>(first.data()), first.size()},
                                iovec{const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = second.empty() ? 1 : 2;
    for (;;) {
        const auto sent = ::sendmsg(descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            return {io_status::ok, static_cast<std::size_t>(sent)};
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return {io_status::blocked, 0};
        }
        if (errno != EINTR) {
            failure_ = words_for(errno);
            return {io_status::failed, 0};
        }
    }
}

// Gathers one record at a time: a small head and body leave as one record. A repeated call gathers the same
// bytes again, as SSL_write(3) demands.
io_result transport::write_secure(std::string_view first, std::string_view second) {
    std::array<char, tls_record_bytes> record;
    std::size_t total = 0;
    while (total < first.size() + second.size()) {
        const auto of_first = total < first.size() ? first.substr(total) : std::string_view{};
        const auto of_second = second.substr(total < first.size() ? 0 : total - first.size());
        const auto from_first = std::min(of_first.size(), record.size());
        const auto from_second = std::min(of_second.size(), record.size() - from_first);
        std::copy_n(of_first.data(), from_first, record.data());
        std::copy_n(of_second.data(), from_second, record.data() + from_first);
        ERR_clear_error();
        std::size_t bytes = 0;
        const int returned = SSL_write_ex(session_.get(), record.data(), from_first + from_second, &bytes);
        if (returned != 1) {
            const auto why = secure_result(returned);
            if (why.status == io_status::blocked && total > 0) {
                return {io_status::ok, total};
            }
            return {why.status == io_status::blocked ? io_status::blocked : io_status::failed, total};
        }
        total += bytes;
    }
    return {io_status::ok, total};
}

void transport::start_writable(const std::shared_ptr<transport_user>& user) {
    const bool reads = session_ && wanted_ == need::read;
    socket_->async_wait(reads ? stream_socket::wait_read : stream_socket::wait_write,
                        ready{user, this, need::write, false});
}

bool transport::is_quiet() {
    char byte = 0;
    if (::recv(descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    if (!session_) {
        return false;
    }
    // Session tickets and key updates are no application data (RFC 8446 section 4.6).
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_peek_ex(session_.get(), &byte, 1, &bytes);
    return returned != 1 && secure_result(returned).status == io_status::blocked;
}

bool transport::is_hung_up() const {
    pollfd asked{descriptor(), 0, 0};
    return ::poll(&asked, 1, 0) == 1 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

bool transport::is_ended() const {
    pollfd asked{descriptor(), POLLRDHUP, 0};
    return ::poll(&asked, 1, 0) == 1 && (asked.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void transport::shutdown_write() {
    if (!is_open() || sent_end_) {
        return;
    }
    sent_end_ = true;
    if (session_ && !broken_ && !handshaking_) {
        ERR_clear_error();
        SSL_shutdown(session_.get());
        ERR_clear_error();
    }
    ::shutdown(descriptor(), SHUT_WR);
}

void transport::close() {
    if (!is_open()) {
        return;
    }
    if (session_ && !broken_ && !handshaking_ && !sent_end_) {
        ERR_clear_error();
        SSL_shutdown(session_.get());
        ERR_clear_error();
    }
    error_code ignored;
    socket_->close(ignored);
    socket_.reset();
    session_.reset();
}

void transport::abort() {
    if (is_open()) {
        broken_ = true;
        error_code ignored;
        socket_->set_option(boost::asio::socket_base::linger(true, 0), ignored);
        close();
    }
}

} // namespace linkrunner::net
