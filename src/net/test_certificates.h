#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/ensure.h"

/// A certificate authority of a test's own. Test code only.
namespace suan::net {

/// What to certify. Times are seconds from now.
struct CertificateWish {
  std::string names = "DNS:localhost,IP:127.0.0.1";  // As OpenSSL writes them.
  std::int64_t from_s = -3600;
  std::int64_t until_s = 86400;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "the test's authority")
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    ensure(key_ != nullptr);
    fill(certificate_, key_, {}, 1);
    X509_NAME* const names = X509_get_subject_name(certificate_);
    X509_NAME_add_entry_by_txt(names, "O", MBSTRING_ASC, bytes_of(name), -1, -1, 0);
    X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
    extend(certificate_, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate_, NID_key_usage, "critical,keyCertSign");
    ensure(X509_sign(certificate_, key_, EVP_sha256()) > 0);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;
  ~TestAuthority() {
    EVP_PKEY_free(key_);
    X509_free(certificate_);
  }

  /// What a client trusts.
  void write(const std::string& path) const {
    std::FILE* const file = std::fopen(path.c_str(), "we");
    ensure(file != nullptr && PEM_write_X509(file, certificate_) == 1);
    std::fclose(file);
  }

  /// A new key and its certificate; with a passphrase the key is written under it.
  void certify(const CertificateWish& wish, const std::string& certificate_path,
               const std::string& key_path, std::string passphrase = {}) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    ensure(key != nullptr && certificate != nullptr);
    fill(certificate, key, wish, ++serial_);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
    extend(certificate, NID_subject_alt_name, wish.names.c_str());
    ensure(X509_sign(certificate, key_, EVP_sha256()) > 0);
    std::FILE* const to = std::fopen(certificate_path.c_str(), "we");
    ensure(to != nullptr && PEM_write_X509(to, certificate) == 1);
    std::fclose(to);
    std::FILE* const key_to = std::fopen(key_path.c_str(), "we");
    ensure(key_to != nullptr);
    const auto size = static_cast<int>(passphrase.size());
    const EVP_CIPHER* const cipher = size > 0 ? EVP_aes_128_cbc() : nullptr;
    char* const words = size > 0 ? passphrase.data() : nullptr;
    ensure(PEM_write_PKCS8PrivateKey(key_to, key, cipher, words, size, nullptr, nullptr) == 1);
    std::fclose(key_to);
    EVP_PKEY_free(key);
    X509_free(certificate);
  }

 private:
  static void fill(X509* certificate, EVP_PKEY* key, const CertificateWish& wish, long serial) {
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wish.until_s);
    X509_set_pubkey(certificate, key);
    const std::string name = "test " + std::to_string(serial);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               bytes_of(name), -1, -1, 0);
  }

  static const unsigned char* bytes_of(const std::string& text) {
    return static_cast<const unsigned char*>(static_cast<const void*>(text.c_str()));
  }

  static void extend(X509* certificate, int what, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
    ensure(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  EVP_PKEY* key_;
  X509* certificate_;
  long serial_ = 1;
};

}  // namespace suan::net
