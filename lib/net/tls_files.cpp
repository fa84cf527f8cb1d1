#include "net/tls_files.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace linkrunner::net {

error tls_file_error(const std::string& file, const std::string& what) {
    const auto code = ERR_peek_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return make_error(std::errc::invalid_argument,
                      file + ": " + what + (reason != nullptr ? std::string(" (") + reason + ")" : ""));
}

result<void> use_certificate(ssl_ctx_st* context, const std::string& cert_file, const std::string& key_file) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) {
        return tls_file_error(cert_file.empty() ? "certificate file" : cert_file,
                              "is not a readable PEM file with a certificate");
    }
    if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
            return tls_file_error(key_file, "is not the key of the certificate in " + cert_file);
        }
        return tls_file_error(key_file.empty() ? "key file" : key_file,
                              "is not a readable PEM file with a private key");
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return tls_file_error(key_file, "is not the key of the certificate in " + cert_file);
    }
    return {};
}

} // namespace linkrunner::net
