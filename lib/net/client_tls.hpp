// TLS as a client: TLS 1.2 or later, the chain and the host's name (or address) always verified, SNI always
// sent, the last session resumed. Room-internal.
#pragma once

#include "base/error.hpp"
#include "net/client.hpp"
#include "net/transport.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;     // OpenSSL's SSL_CTX
struct ssl_session_st; // OpenSSL's SSL_SESSION

namespace linkrunner::net {

class client_tls {
  public:
    // Errors name the file that cannot be used.
    static result<std::unique_ptr<client_tls>> make(const client_settings& options, const std::string& host);
    ~client_tls();
    client_tls(const client_tls&) = delete;
    client_tls& operator=(const client_tls&) = delete;

    // For one connection to the host.
    ssl_pointer session();
    // The server might not like the session that it was offered.
    void forget_session();

  private:
    client_tls(ssl_ctx_st* context, std::string host);
    static int keep_session(ssl_st* connection, ssl_session_st* session);

    ssl_ctx_st* context_;
    const std::string host_;
    bool host_is_address_ = false;
    ssl_session_st* last_ = nullptr;
};

} // namespace linkrunner::net
