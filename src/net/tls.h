#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_st;
struct ssl_ctx_st;
struct x509_store_ctx_st;

/// TLS 1.2 and 1.3 over sockets that do not block, by OpenSSL. Nothing of OpenSSL runs before the
/// first object of this header is made, so that a program without TLS does not wait for it. Inside
/// the room only.
namespace suan::net {

/// One connection's TLS. Reads and writes a socket that somebody else owns. One thread at a time.
class TlsSession {
 public:
  /// What must happen before the same call can go on. `failed` has its reason in `problem`.
  enum class Need : std::uint8_t { nothing, readable, writable, failed };

  /// `bytes` were moved; 0 with `nothing` is the orderly end of what the peer sends.
  struct Step {
    std::size_t bytes = 0;
    Need need = Need::nothing;
  };

  /// Takes over the handle.
  TlsSession(ssl_st* ssl, int socket);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  /// `nothing` when both sides agree on keys and the peer's certificate has been checked.
  Step shake_hands();

  Step read(char* to, std::size_t bytes_max);

  /// May take less than all. After a need the next call begins with the same bytes.
  Step write(std::string_view bytes);

  /// Whether a read would return something else than a need.
  bool has_input();

  /// Tells the peer that nothing follows, if the socket takes that now.
  void end();

  /// The socket is closed or about to be: its number is never used again.
  void forget_socket() { socket_ = -1; }

  /// Why it failed, as one sentence without the peer's name.
  const std::string& problem() const { return problem_; }

 private:
  static int judge(int is_fine, x509_store_ctx_st* chain);
  Step after(int result);
  void explain(int error);

  ssl_st* ssl_;
  int socket_;
  std::string problem_;
  std::string verdict_;  // On the peer's certificate, if it is refused.
};

/// A server's certificate and key. Any thread.
class TlsServer {
 public:
  /// Reads a PEM file with the certificate and those of its issuers, and one with its private key.
  /// `invalid` when a file is not that, the two do not belong together, or the certificate is not
  /// valid today; `not_found` or `io` when it cannot be read.
  static Result<std::unique_ptr<TlsServer>> load(std::string certificate_file,
                                                 std::string key_file);
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  /// Reads the files again, for connections to come. What was in force stays so on a failure.
  Result<void> reload();

  std::unique_ptr<TlsSession> accept(int socket);

 private:
  TlsServer(std::string certificate_file, std::string key_file)
      : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

  const std::string certificate_file_;
  const std::string key_file_;
  std::mutex mutex_;
  ssl_ctx_st* context_ = nullptr;
};

/// Whom a client trusts. One thread.
class TlsClient {
 public:
  /// Trusts the CAs in a PEM file, or with "" those of the system.
  static Result<std::unique_ptr<TlsClient>> load(const std::string& ca_file);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient();

  /// A session with a server that must prove to be `host`, a name or a numeric address.
  std::unique_ptr<TlsSession> connect(int socket, const std::string& host);

 private:
  explicit TlsClient(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* context_;
};

}  // namespace suan::net
