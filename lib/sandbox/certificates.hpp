// Certificates made on the spot for the sandbox and for tests: an authority and server certificates signed by
// it (ECDSA P-256, SHA-256). Not for production: the authority's key lies beside it in clear.
#pragma once

#include "base/error.hpp"

#include <string>
#include <vector>

namespace linkrunner::sandbox {

struct certificate_options {
    std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"}; // DNS names and addresses
    bool expired = false;                                               // ended yesterday
};

struct certificate {
    std::string cert_pem;
    std::string key_pem;
};

class authority {
  public:
    static result<authority> make();

    // Takes ca.crt and ca.key from the directory, or makes them there (ca.crt readable for all). A restarted
    // sandbox is thus still trusted.
    static result<authority> in_directory(const std::string& path);

    result<certificate> issue(const certificate_options& options) const;
    const std::string& cert_pem() const { return own_.cert_pem; }

  private:
    explicit authority(certificate own) : own_(std::move(own)) {}
    certificate own_;
};

} // namespace linkrunner::sandbox
