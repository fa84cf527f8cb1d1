#include "net/socket_bio.hpp"

#include "base/error.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstdint>
#include <sys/socket.h>

namespace linkrunner::net {
namespace {

constexpr int flag_at_end = 0x1000; // beside OpenSSL's BIO_FLAGS_*

int descriptor_of(BIO* bio) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool is_temporary(int number) {
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

int bio_write(BIO* bio, const char* bytes, int count) {
    BIO_clear_retry_flags(bio);
    const auto sent =
        ::send(descriptor_of(bio), bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && is_temporary(errno)) {
        BIO_set_retry_write(bio);
    }
    return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* into, int count) {
    BIO_clear_retry_flags(bio);
    const auto got = ::recv(descriptor_of(bio), into, static_cast<std::size_t>(count), MSG_DONTWAIT);
    if (got < 0 && is_temporary(errno)) {
        BIO_set_retry_read(bio);
    } else if (got == 0) {
        BIO_set_flags(bio, flag_at_end);
    }
    return static_cast<int>(got);
}

long bio_control(BIO* bio, int command, long, void*) {
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, flag_at_end) != 0 ? 1 : 0;
    default:
        return 0;
    }
}

BIO_METHOD* make_method() {
    BIO_METHOD* method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "linkrunner socket");
    LINKRUNNER_INVARIANT(method != nullptr);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

} // namespace

void attach_socket(ssl_st* session, int descriptor) {
    static BIO_METHOD* const method = make_method(); // lives as long as the process, as OpenSSL's own do
    BIO* bio = BIO_new(method);
    LINKRUNNER_INVARIANT(bio != nullptr);
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);
}

} // namespace linkrunner::net
