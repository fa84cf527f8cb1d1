#include "net/server_tls.hpp"

#include "net/tls_files.hpp"

#include <openssl/ssl.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::net {
namespace {

std::optional<int> version_number(std::string_view name) {
    if (name == "1.0") {
        return TLS1_VERSION;
    }
    if (name == "1.1") {
        return TLS1_1_VERSION;
    }
    if (name == "1.2") {
        return TLS1_2_VERSION;
    }
    if (name == "1.3") {
        return TLS1_3_VERSION;
    }
    return std::nullopt;
}

result<void> set_versions(SSL_CTX* context, const server_tls& options) {
    const auto least = version_number(options.min_version);
    const auto most = version_number(options.max_version);
    if (!least || !most || *least > *most) {
        return make_error(std::errc::invalid_argument, "TLS versions " + options.min_version + " to " +
                                                           options.max_version +
                                                           ": expected 1.0, 1.1, 1.2 or 1.3");
    }
    SSL_CTX_set_min_proto_version(context, *least);
    SSL_CTX_set_max_proto_version(context, *most);
    if (*least < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(context, 0); // OpenSSL 3 has no TLS 1.1 above that level
    }
    return {};
}

result<void> demand_client_certificates(SSL_CTX* context, const std::string& ca_file) {
    if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
        return tls_file_error(ca_file, "is not a readable PEM file with certificates");
    }
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(ca_file.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return {};
}

// http/1.1 where the client offers it; a client that offers others only may still speak it (RFC 7301 would
// have it refused, which helps nobody here).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int offered_length, void*) {
    static constexpr std::array<unsigned char, 9> ours{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* out = nullptr;
    if (SSL_select_next_proto(&out, length, ours.data(), ours.size(), offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *chosen = out;
    return SSL_TLSEXT_ERR_OK;
}

} // namespace

server_tls_context::~server_tls_context() {
    SSL_CTX_free(context_);
}

result<std::unique_ptr<server_tls_context>> server_tls_context::make(const server_tls& options) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    LINKRUNNER_INVARIANT(context != nullptr);
    std::unique_ptr<server_tls_context> made(new server_tls_context(context));
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Resumption by tickets alone: nothing is kept for clients that never come again.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    static constexpr std::array<unsigned char, 10> purpose{'l', 'i', 'n', 'k', 'r', 'u', 'n', 'n', 'e', 'r'};
    SSL_CTX_set_session_id_context(context, purpose.data(), purpose.size());
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    if (const auto set = set_versions(context, options); !set) {
        return set.error();
    }
    if (const auto used = use_certificate(context, options.cert_file, options.key_file); !used) {
        return used.error();
    }
    if (!options.client_ca_file.empty()) {
        if (const auto set = demand_client_certificates(context, options.client_ca_file); !set) {
            return set.error();
        }
    }
    return made;
}

ssl_pointer server_tls_context::session() const {
    ssl_pointer made(SSL_new(context_));
    LINKRUNNER_INVARIANT(made != nullptr);
    SSL_set_accept_state(made.get());
    return made;
}

} // namespace linkrunner::net
