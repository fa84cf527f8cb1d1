// TLS as a server. Room-internal.
#pragma once

#include "base/error.hpp"
#include "net/server.hpp"
#include "net/transport.hpp"

#include <memory>

struct ssl_ctx_st; // OpenSSL's SSL_CTX

namespace linkrunner::net {

class server_tls_context {
  public:
    // Errors name the file or version that cannot be used.
    static result<std::unique_ptr<server_tls_context>> make(const server_tls& options);
    ~server_tls_context();
    server_tls_context(const server_tls_context&) = delete;
    server_tls_context& operator=(const server_tls_context&) = delete;

    // For one accepted connection.
    ssl_pointer session() const;

  private:
    explicit server_tls_context(ssl_ctx_st* context) : context_(context) {}
    ssl_ctx_st* context_;
};

} // namespace linkrunner::net
