// The other side of a TLS connection, blocking, for tests: plays client or server with OpenSSL's defaults.
#pragma once

#include "support/net_raw_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>

namespace linkrunner::tests {

class tls_peer {
  public:
    using setup = std::function<void(SSL_CTX*)>;

    static tls_peer client(raw_client socket, const setup& prepare = {}, SSL_SESSION* resume = nullptr) {
        tls_peer made(std::move(socket), TLS_client_method(), prepare);
        if (resume != nullptr) {
            SSL_set_session(made.ssl_.get(), resume);
        }
        made.secured_ = SSL_connect(made.ssl_.get()) == 1;
        return made;
    }

    static tls_peer server(raw_client socket, const std::string& cert, const std::string& key,
                           const setup& prepare = {}) {
        tls_peer made(std::move(socket), TLS_server_method(), [&](SSL_CTX* context) {
            SSL_CTX_use_certificate_chain_file(context, cert.c_str());
            SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM);
            if (prepare) {
                prepare(context);
            }
        });
        made.secured_ = SSL_accept(made.ssl_.get()) == 1;
        return made;
    }

    bool secured() const { return secured_; } // the handshake went well
    SSL* session() { return ssl_.get(); }
    raw_client& socket() { return socket_; }

    bool send(std::string_view bytes) {
        return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
               static_cast<int>(bytes.size());
    }

    // Until `mark` has come, or the end.
    std::string read_until(std::string_view mark) {
        std::string all;
        char byte = 0;
        while (!all.ends_with(mark) && SSL_read(ssl_.get(), &byte, 1) == 1) {
            all += byte;
        }
        return all;
    }
    std::string read_to_end() {
        std::string all;
        char bytes[4096];
        for (int got = 0; (got = SSL_read(ssl_.get(), bytes, sizeof bytes)) > 0;) {
            all.append(bytes, static_cast<std::size_t>(got));
        }
        return all;
    }

    void end() { SSL_shutdown(ssl_.get()); }

  private:
    struct freeing {
        void operator()(SSL_CTX* it) const { SSL_CTX_free(it); }
        void operator()(SSL* it) const { SSL_free(it); }
    };

    tls_peer(raw_client socket, const SSL_METHOD* method, const setup& prepare)
        : socket_(std::move(socket)), context_(SSL_CTX_new(method)) {
        const timeval patience{20, 0};
        ::setsockopt(socket_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket_.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (prepare) {
            prepare(context_.get());
        }
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), socket_.descriptor());
    }

    raw_client socket_;
    std::unique_ptr<SSL_CTX, freeing> context_;
    std::unique_ptr<SSL, freeing> ssl_;
    bool secured_ = false;
};

} // namespace linkrunner::tests
