// HMAC-SHA-256 (RFC 2104, FIPS 180-4) by OpenSSL: tells two texts apart for whoever has the key, and nobody
// else anything. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace linkrunner::net {

// As 64 hexadecimal digits.
std::string keyed_hash(std::string_view key, std::string_view text);

} // namespace linkrunner::net
