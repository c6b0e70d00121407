#include "net/tls.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/ensure.h"

namespace suan::net {

namespace {

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL, so that a peer who leaves could end us.
int send_bytes(BIO* bio, const char* bytes, int size) {
  const int socket = *static_cast<const int*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int receive_bytes(BIO* bio, char* to, int size) {
  const int socket = *static_cast<const int*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(socket, to, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int make_ready(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
  ensure(method != nullptr);
  BIO_meth_set_write(method, send_bytes);
  BIO_meth_set_read(method, receive_bytes);
  BIO_meth_set_ctrl(method, control);
  BIO_meth_set_create(method, make_ready);
  return method;
}

BIO* open_bio(int* socket) {
  static BIO_METHOD* const method = make_method();  // Once a process, as OpenSSL counts methods.
  BIO* const bio = BIO_new(method);
  ensure(bio != nullptr);
  BIO_set_data(bio, socket);
  return bio;
}

std::string take_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason ? reason : "unknown";
}

// "2026-11-26", in UTC.
std::string print_day(const ASN1_TIME* time) {
  tm utc{};
  if (!time || ASN1_TIME_to_tm(time, &utc) != 1) return "an unknown day";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday);
  return text.data();
}

std::string print_address(const ASN1_OCTET_STRING& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(&address);
  const int family = size == 4 ? AF_INET : AF_INET6;
  if (size == 4 || size == 16) {
    inet_ntop(family, ASN1_STRING_get0_data(&address), text.data(), text.size());
  }
  return text.data();
}

// The names a certificate is for, at most four of them: "a.example, 10.0.0.1".
std::string print_names(X509* certificate) {
  constexpr int names_max = 4;
  std::string out;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names && i < std::min(sk_GENERAL_NAME_num(names), names_max); ++i) {
    const GENERAL_NAME* const row = sk_GENERAL_NAME_value(names, i);
    std::string name;
    if (row->type == GEN_DNS) {
      const auto* const bytes = ASN1_STRING_get0_data(row->d.dNSName);
      const auto size = static_cast<std::size_t>(ASN1_STRING_length(row->d.dNSName));
      for (std::size_t k = 0; k < std::min<std::size_t>(size, 253); ++k) {
        name += bytes[k] > ' ' && bytes[k] < 127 ? static_cast<char>(bytes[k]) : '?';
      }
    } else if (row->type == GEN_IPADD) {
      name = print_address(*row->d.iPAddress);
    }
    if (!name.empty()) out += (out.empty() ? "" : ", ") + name;
  }
  GENERAL_NAMES_free(names);
  return out.empty() ? "no name at all" : out;
}

std::string explain_certificate(long verdict, X509* certificate) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate, or that of its issuer, has expired: it held until " +
             print_day(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate holds only from " + print_day(X509_get0_notBefore(certificate)) +
             " on: is the clock of this machine right?";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is for another name: it names " + print_names(certificate);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "its certificate is not trusted here: nobody knows who issued it. If you trust it, "
             "name the file with its issuer's certificate in SUAN_CA_FILE";
    default:
      return std::string("its certificate is refused: ") + X509_verify_cert_error_string(verdict);
  }
}

Failure cannot_read(const std::string& what, const std::string& path, int error) {
  const auto kind = error == ENOENT ? Failure::Kind::not_found : Failure::Kind::io;
  return {.kind = kind,
          .text = "cannot read the " + what + " " + path + ": " + std::strerror(error),
          .place = path};
}

Result<void> check_readable(const std::string& what, const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (!file) return std::unexpected(cannot_read(what, path, errno));
  struct stat found{};
  const bool is_file = fstat(fileno(file), &found) == 0 && S_ISREG(found.st_mode);
  std::fclose(file);
  if (!is_file) return std::unexpected(cannot_read(what, path, EINVAL));
  return {};
}

Result<void> check_dates(SSL_CTX* context, const std::string& file) {
  const X509* const certificate = SSL_CTX_get0_certificate(context);
  const ASN1_TIME* const from = X509_get0_notBefore(certificate);
  const ASN1_TIME* const until = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(until) <= 0) {
    return failure(Failure::Kind::invalid,
                   "the certificate in " + file + " expired on " + print_day(until), file);
  }
  if (X509_cmp_current_time(from) > 0) {
    return failure(Failure::Kind::invalid,
                   "the certificate in " + file + " holds only from " + print_day(from) + " on",
                   file);
  }
  return {};
}

// What a key with a passphrase gets: a server that starts by itself has nobody to ask.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Result<void> fill(SSL_CTX* context, const std::string& certificate_file,
                  const std::string& key_file) {
  SUAN_CHECK(check_readable("certificate", certificate_file));
  SUAN_CHECK(check_readable("private key", key_file));
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return failure(Failure::Kind::invalid,
                   certificate_file + " holds no certificate in PEM form (" + take_error() + ")",
                   certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool is_mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    const std::string why = take_error();
    return failure(Failure::Kind::invalid,
                   is_mismatch
                       ? "the private key in " + key_file + " is not that of " + certificate_file
                       : key_file +
                             " holds no private key in PEM form without a "
                             "passphrase (" +
                             why + ")",
                   key_file);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return failure(Failure::Kind::invalid,
                   "the private key in " + key_file + " is not that of " + certificate_file,
                   key_file);
  }
  return check_dates(context, certificate_file);
}

SSL_CTX* make_context(const SSL_METHOD* method) {
  SSL_CTX* const context = SSL_CTX_new(method);
  ensure(context != nullptr);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

Result<SSL_CTX*> make_server_context(const std::string& certificate_file,
                                     const std::string& key_file) {
  ERR_clear_error();
  SSL_CTX* const context = make_context(TLS_server_method());
  // A client that comes again shakes hands again; so no key lives longer than its connection.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context, 0);
  auto filled = fill(context, certificate_file, key_file);
  ERR_clear_error();
  if (filled) return context;
  SSL_CTX_free(context);
  return std::unexpected(std::move(filled).error());
}

}  // namespace

// OpenSSL tells this of every certificate, and forgets the one it refused.
int TlsSession::judge(int is_fine, x509_store_ctx_st* chain) {
  const auto* const ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const self = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  X509* const certificate = X509_STORE_CTX_get_current_cert(chain);
  if (is_fine != 1 && self && certificate) {
    self->verdict_ = explain_certificate(X509_STORE_CTX_get_error(chain), certificate);
  }
  return is_fine;
}

TlsSession::TlsSession(ssl_st* ssl, int socket) : ssl_(ssl), socket_(socket) {
  SSL_set_app_data(ssl_, this);
  if (SSL_get_verify_mode(ssl_) != SSL_VERIFY_NONE) SSL_set_verify(ssl_, SSL_VERIFY_PEER, judge);
  BIO* const bio = open_bio(&socket_);
  SSL_set_bio(ssl_, bio, bio);
}

TlsSession::~TlsSession() {
  SSL_free(ssl_);
}

TlsSession::Step TlsSession::after(int result) {
  if (result > 0) return {.bytes = static_cast<std::size_t>(result)};
  const int system_error = errno;
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_ZERO_RETURN) return {};
  if (error == SSL_ERROR_WANT_READ) return {.need = Need::readable};
  if (error == SSL_ERROR_WANT_WRITE) return {.need = Need::writable};
  errno = system_error;
  explain(error);
  return {.need = Need::failed};
}

void TlsSession::explain(int error) {
  const int system_error = errno;
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && !verdict_.empty()) {
    problem_ = verdict_;
  } else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
    problem_ = "it does not speak TLS: is its address http:// and not https://?";
  } else if (error == SSL_ERROR_SYSCALL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    problem_ = system_error == 0 || error != SSL_ERROR_SYSCALL
                   ? "it broke the connection"
                   : std::string("the connection broke: ") + std::strerror(system_error);
  } else {
    problem_ = "TLS failed: " + take_error();
  }
  ERR_clear_error();
}

TlsSession::Step TlsSession::shake_hands() {
  ERR_clear_error();
  errno = 0;
  Step step = after(SSL_do_handshake(ssl_));
  if (step.need == Need::nothing && SSL_is_init_finished(ssl_) == 0) {
    problem_ = "it ended the connection within the TLS handshake";
    step.need = Need::failed;
  }
  return step;
}

TlsSession::Step TlsSession::read(char* to, std::size_t bytes_max) {
  if (bytes_max == 0) return {};
  ERR_clear_error();
  errno = 0;
  return after(SSL_read(ssl_, to, static_cast<int>(std::min<std::size_t>(bytes_max, INT_MAX))));
}

TlsSession::Step TlsSession::write(std::string_view bytes) {
  if (bytes.empty()) return {};
  ERR_clear_error();
  errno = 0;
  const auto size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
  Step step = after(SSL_write(ssl_, bytes.data(), size));
  if (step.need == Need::nothing && step.bytes == 0) {
    problem_ = "it has closed the connection";
    step.need = Need::failed;
  }
  return step;
}

bool TlsSession::has_input() {
  char byte = 0;
  ERR_clear_error();
  const int result = SSL_peek(ssl_, &byte, 1);
  if (result > 0) return true;
  const int error = SSL_get_error(ssl_, result);
  ERR_clear_error();
  return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
}

void TlsSession::end() {
  if (socket_ < 0 || !problem_.empty() || SSL_is_init_finished(ssl_) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

Result<std::unique_ptr<TlsServer>> TlsServer::load(std::string certificate_file,
                                                   std::string key_file) {
  std::unique_ptr<TlsServer> server(
      new TlsServer(std::move(certificate_file), std::move(key_file)));
  SUAN_CHECK(server->reload());
  return server;
}

TlsServer::~TlsServer() {
  SSL_CTX_free(context_);
}

Result<void> TlsServer::reload() {
  SUAN_TRY(SSL_CTX* const context, make_server_context(certificate_file_, key_file_));
  const std::lock_guard lock(mutex_);
  SSL_CTX_free(std::exchange(context_, context));  // Sessions hold the old one as they need.
  return {};
}

std::unique_ptr<TlsSession> TlsServer::accept(int socket) {
  SSL* ssl = nullptr;
  {
    const std::lock_guard lock(mutex_);
    ssl = SSL_new(context_);
  }
  ensure(ssl != nullptr);
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsSession>(ssl, socket);
}

Result<std::unique_ptr<TlsClient>> TlsClient::load(const std::string& ca_file) {
  if (!ca_file.empty()) SUAN_CHECK(check_readable("CA file", ca_file));
  ERR_clear_error();
  std::unique_ptr<TlsClient> client(new TlsClient(make_context(TLS_client_method())));
  SSL_CTX_set_verify(client->context_, SSL_VERIFY_PEER, nullptr);
  const bool is_loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(client->context_) == 1
                                         : SSL_CTX_load_verify_locations(
                                               client->context_, ca_file.c_str(), nullptr) == 1;
  if (is_loaded) return client;
  const std::string why = take_error();
  return failure(Failure::Kind::invalid,
                 ca_file.empty() ? "the system's CA certificates cannot be read (" + why + ")"
                                 : ca_file + " holds no CA certificate in PEM form (" + why + ")",
                 ca_file);
}

TlsClient::~TlsClient() {
  SSL_CTX_free(context_);
}

std::unique_ptr<TlsSession> TlsClient::connect(int socket, const std::string& host) {
  SSL* const ssl = SSL_new(context_);
  ensure(ssl != nullptr);
  SSL_set_connect_state(ssl);
  X509_VERIFY_PARAM* const wish = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(wish, host.c_str()) != 1) {
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(wish, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ensure(X509_VERIFY_PARAM_set1_host(wish, host.data(), host.size()) == 1);
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  return std::make_unique<TlsSession>(ssl, socket);
}

}  // namespace suan::net
