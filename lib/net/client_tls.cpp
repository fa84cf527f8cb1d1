#include "net/client_tls.hpp"

#include "net/tls_files.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <array>
#include <utility>

namespace linkrunner::net {
namespace {

bool is_address(const std::string& host) {
    std::array<unsigned char, 16> bytes;
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

result<void> load_trust(SSL_CTX* context, const std::string& ca_file) {
    if (ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1) {
            return tls_file_error("the system's certificate store", "cannot be read");
        }
        return {};
    }
    if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
        return tls_file_error(ca_file, "is not a readable PEM file with certificates");
    }
    return {};
}

} // namespace

client_tls::client_tls(ssl_ctx_st* context, std::string host)
    : context_(context), host_(std::move(host)), host_is_address_(is_address(host_)) {}

client_tls::~client_tls() {
    forget_session();
    SSL_CTX_free(context_);
}

result<std::unique_ptr<client_tls>> client_tls::make(const client_settings& options,
                                                     const std::string& host) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    LINKRUNNER_INVARIANT(context != nullptr);
    std::unique_ptr<client_tls> made(new client_tls(context, host));
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    static constexpr std::array<unsigned char, 9> alpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    SSL_CTX_set_alpn_protos(context, alpn.data(), alpn.size());
    if (const auto trusted = load_trust(context, options.ca_file); !trusted) {
        return trusted.error();
    }
    if (!options.client_cert_file.empty() || !options.client_key_file.empty()) {
        if (const auto shown = use_certificate(context, options.client_cert_file, options.client_key_file);
            !shown) {
            return shown.error();
        }
    }
    SSL_CTX_set_app_data(context, made.get());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, &client_tls::keep_session);
    return made;
}

// Called by OpenSSL when the server has issued a session: after the handshake (TLS 1.2) or with any read
// (TLS 1.3). 1 says that the reference is ours now.
int client_tls::keep_session(ssl_st* connection, ssl_session_st* session) {
    auto* self = static_cast<client_tls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
    self->forget_session();
    self->last_ = session;
    return 1;
}

void client_tls::forget_session() {
    SSL_SESSION_free(std::exchange(last_, nullptr));
}

ssl_pointer client_tls::session() {
    ssl_pointer made(SSL_new(context_));
    LINKRUNNER_INVARIANT(made != nullptr);
    SSL_set_connect_state(made.get());
    X509_VERIFY_PARAM* wanted = SSL_get0_param(made.get());
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (host_is_address_) { // RFC 6066 section 3: no SNI for addresses
        LINKRUNNER_INVARIANT(X509_VERIFY_PARAM_set1_ip_asc(wanted, host_.c_str()) == 1);
    } else {
        LINKRUNNER_INVARIANT(X509_VERIFY_PARAM_set1_host(wanted, host_.c_str(), host_.size()) == 1);
        LINKRUNNER_INVARIANT(SSL_set_tlsext_host_name(made.get(), host_.c_str()) == 1);
    }
    if (last_ != nullptr && SSL_SESSION_is_resumable(last_) == 1) {
        SSL_set_session(made.get(), last_);
    }
    return made;
}

} // namespace linkrunner::net
