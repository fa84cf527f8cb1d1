#include "sandbox/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <unistd.h>

namespace linkrunner::sandbox {

namespace {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using cert_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

constexpr long day_seconds = 24 * 60 * 60;

error openssl_failure(const std::string& what) {
    const char* reason = ERR_reason_error_string(ERR_get_error());
    return make_error(std::errc::io_error, what + ": " + (reason != nullptr ? reason : "unknown reason"));
}

std::string content_of(BIO* from) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(from, &data);
    return {data, static_cast<std::size_t>(size)};
}

result<certificate> to_pem(X509* cert, EVP_PKEY* key) {
    const bio_ptr cert_text(BIO_new(BIO_s_mem()));
    const bio_ptr key_text(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(cert_text.get(), cert) != 1 ||
        PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return openssl_failure("write a certificate");
    }
    return certificate{content_of(cert_text.get()), content_of(key_text.get())};
}

bool add_extension(X509* cert, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
    const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    return extension && X509_add_ext(cert, extension.get(), -1) == 1;
}

// Subject, serial number, validity in days from now, and the public key.
cert_ptr blank(EVP_PKEY* key, const std::string& common_name, long first_day, long last_day) {
    cert_ptr cert(X509_new());
    std::uint64_t serial = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
    X509_set_version(cert.get(), X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), first_day * day_seconds);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), last_day * day_seconds);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    X509_set_pubkey(cert.get(), key);
    return cert;
}

std::string alternative_names(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) {
        in6_addr address{};
        const bool is_address = inet_pton(AF_INET, name.c_str(), &address) == 1 ||
                                inet_pton(AF_INET6, name.c_str(), &address) == 1;
        out += (out.empty() ? "" : ",") + std::string(is_address ? "IP:" : "DNS:") + name;
    }
    return out;
}

std::string read_file(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

result<void> write_file(const std::filesystem::path& path, const std::string& text, mode_t mode) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (file < 0) {
        return system_failure(errno, "create " + path.string());
    }
    const ssize_t written = ::write(file, text.data(), text.size());
    const int failure = errno;
    ::close(file);
    if (written != static_cast<ssize_t>(text.size())) {
        return system_failure(failure, "write " + path.string());
    }
    return {};
}

} // namespace

result<authority> authority::make() {
    const key_ptr key(EVP_EC_gen("P-256"));
    if (!key) {
        return openssl_failure("make a key");
    }
    const cert_ptr cert = blank(key.get(), "linkrunner-sandbox authority", -1, 3650);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
    if (!add_extension(cert.get(), cert.get(), NID_basic_constraints, "critical,CA:TRUE") ||
        !add_extension(cert.get(), cert.get(), NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(cert.get(), cert.get(), NID_subject_key_identifier, "hash") ||
        X509_sign(cert.get(), key.get(), EVP_sha256()) == 0) {
        return openssl_failure("make an authority");
    }
    auto pem = to_pem(cert.get(), key.get());
    if (!pem) {
        return pem.error();
    }
    return authority(std::move(*pem));
}

result<authority> authority::in_directory(const std::string& path) {
    const std::filesystem::path directory(path);
    std::error_code failure;
    std::filesystem::create_directories(directory, failure);
    if (failure) {
        return error{failure, "create " + path + ": " + failure.message()};
    }
    certificate kept{read_file(directory / "ca.crt"), read_file(directory / "ca.key")};
    if (!kept.cert_pem.empty() && !kept.key_pem.empty()) {
        return authority(std::move(kept));
    }
    auto made = make();
    if (!made) {
        return made;
    }
    if (auto wrote = write_file(directory / "ca.key", made->own_.key_pem, 0600); !wrote) {
        return wrote.error();
    }
    if (auto wrote = write_file(directory / "ca.crt", made->own_.cert_pem, 0644); !wrote) {
        return wrote.error();
    }
    return made;
}

result<certificate> authority::issue(const certificate_options& options) const {
    const bio_ptr cert_text(BIO_new_mem_buf(own_.cert_pem.data(), static_cast<int>(own_.cert_pem.size())));
    const bio_ptr key_text(BIO_new_mem_buf(own_.key_pem.data(), static_cast<int>(own_.key_pem.size())));
    const cert_ptr issuer(PEM_read_bio_X509(cert_text.get(), nullptr, nullptr, nullptr));
    const key_ptr issuer_key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
    const key_ptr key(EVP_EC_gen("P-256"));
    if (!issuer || !issuer_key || !key) {
        return openssl_failure("read the authority");
    }
    const std::string first = options.names.empty() ? "nobody" : options.names.front();
    const cert_ptr cert = blank(key.get(), first, options.expired ? -30 : -1, options.expired ? -1 : 825);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer.get()));
    if (!add_extension(cert.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(cert.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") ||
        !add_extension(cert.get(), issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
        !add_extension(cert.get(), issuer.get(), NID_authority_key_identifier, "keyid") ||
        (!options.names.empty() &&
         !add_extension(cert.get(), issuer.get(), NID_subject_alt_name, alternative_names(options.names))) ||
        X509_sign(cert.get(), issuer_key.get(), EVP_sha256()) == 0) {
        return openssl_failure("make a certificate");
    }
    return to_pem(cert.get(), key.get());
}

} // namespace linkrunner::sandbox
