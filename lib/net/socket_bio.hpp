// Gives an OpenSSL session a non-blocking socket to work on. Room-internal.
#pragma once

struct ssl_st;

namespace linkrunner::net {

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE when the peer has gone; this one does
// not. The descriptor stays the caller's.
void attach_socket(ssl_st* session, int descriptor);

} // namespace linkrunner::net
