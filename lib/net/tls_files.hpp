// Certificates and keys from PEM files into OpenSSL contexts. Room-internal.
#pragma once

#include "base/error.hpp"

#include <string>

struct ssl_ctx_st;

namespace linkrunner::net {

// "<file>: <what> (<OpenSSL's reason>)".
error tls_file_error(const std::string& file, const std::string& what);

// A chain and its key; both files are named in errors, also when the two do not belong together.
result<void> use_certificate(ssl_ctx_st* context, const std::string& cert_file, const std::string& key_file);

} // namespace linkrunner::net
