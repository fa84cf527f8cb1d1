// Certificates made on the spot (ECDSA P-256): an authority, and what it signs, good and bad.
#pragma once

#include "support/temp_directory.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace linkrunner::tests {

struct certificate_files {
    std::string cert, key;
};

class certificate_authority {
  public:
    using days = std::chrono::days;

    certificate_authority(const temp_directory& directory, std::string name)
        : directory_(directory), name_(std::move(name)), key_(new_key()) {
        own_ = sign(name_, "", true, days(-1), days(30), key_.get(), nullptr, key_.get());
        file_ = write(name_ + ".crt", own_.get());
    }

    const std::string& file() const { return file_; } // for ca_file

    // `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1".
    certificate_files issue(const std::string& file, const std::string& names, days from = days(-1),
                            days until = days(30)) const {
        const auto key = new_key();
        const auto made = sign(file, names, false, from, until, key.get(), own_.get(), key_.get());
        return {write(file + ".crt", made.get()), write(file + ".key", key.get())};
    }
    certificate_files good() const { return issue("good", "DNS:localhost,IP:127.0.0.1,IP:::1"); }
    certificate_files expired() const {
        return issue("expired", "DNS:localhost,IP:127.0.0.1", days(-9), days(-2));
    }
    certificate_files wrong_host() const { return issue("wrong", "DNS:other.example,IP:127.0.0.9"); }

  private:
    struct freeing {
        void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
        void operator()(X509* it) const { X509_free(it); }
        void operator()(BIO* it) const { BIO_free(it); }
    };
    using key_pointer = std::unique_ptr<EVP_PKEY, freeing>;
    using x509_pointer = std::unique_ptr<X509, freeing>;

    static key_pointer new_key() { return key_pointer(EVP_EC_gen("P-256")); }

    static void extend(X509* made, X509* issuer, int what, const std::string& value) {
        X509V3_CTX context{};
        X509V3_set_ctx(&context, issuer != nullptr ? issuer : made, made, nullptr, nullptr, 0);
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
        if (extension == nullptr) {
            throw std::runtime_error("bad certificate extension: " + value);
        }
        X509_add_ext(made, extension, -1);
        X509_EXTENSION_free(extension);
    }

    static x509_pointer sign(const std::string& name, const std::string& names, bool authority, days from,
                             days until, EVP_PKEY* subject_key, X509* issuer, EVP_PKEY* issuer_key) {
        static long serial = 1;
        x509_pointer made(X509_new());
        X509_set_version(made.get(), X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
        X509_time_adj_ex(X509_getm_notBefore(made.get()), static_cast<int>(from.count()), 0, nullptr);
        X509_time_adj_ex(X509_getm_notAfter(made.get()), static_cast<int>(until.count()), 0, nullptr);
        X509_set_pubkey(made.get(), subject_key);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_issuer_name(made.get(), X509_get_subject_name(issuer != nullptr ? issuer : made.get()));
        extend(made.get(), issuer, NID_basic_constraints,
               authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
        if (!names.empty()) {
            extend(made.get(), issuer, NID_subject_alt_name, names);
        }
        X509_sign(made.get(), issuer_key, EVP_sha256());
        return made;
    }

    template <class Thing>
    std::string write(const std::string& name, Thing* what) const {
        const std::unique_ptr<BIO, freeing> memory(BIO_new(BIO_s_mem()));
        if constexpr (std::is_same_v<Thing, X509>) {
            PEM_write_bio_X509(memory.get(), what);
        } else {
            PEM_write_bio_PrivateKey(memory.get(), what, nullptr, nullptr, 0, nullptr, nullptr);
        }
        char* bytes = nullptr;
        const auto length = BIO_get_mem_data(memory.get(), &bytes);
        return directory_.write(name, std::string(bytes, static_cast<std::size_t>(length)));
    }

    const temp_directory& directory_;
    std::string name_;
    key_pointer key_;
    x509_pointer own_;
    std::string file_;
};

} // namespace linkrunner::tests
