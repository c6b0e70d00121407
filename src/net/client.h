#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"

namespace suan::net {

struct ClientOptions {
  Span connect_timeout = seconds(5);
  Span answer_timeout = seconds(60);  // From the request's last byte to the answer's last.
  Span silence_timeout = minutes(2);  // In a stream: the longest wait for a byte. 0 = for ever.
  std::size_t body_bytes_max = 64U << 20U;
  std::size_t header_bytes_max = 64U << 10U;
  std::string ca_file{};  // For https: PEM file of the CAs to trust; "" = the system's.
};

class TlsClient;
class TlsSession;

/// What a stream calls. `on_bytes` gets decoded pieces of the body and returns false to stop.
/// `on_pause` is asked after a signal interrupted the wait, and twice a second besides; it returns
/// false to stop.
struct StreamReader {
  Callback<bool(std::string_view)> on_bytes{};
  Callback<bool()> on_pause{};
};

/// A blocking HTTP/1.1 client of one place, for one thread. Keeps one connection open between
/// requests. Uses plain sockets, so that a short-lived program starts at once.
class Client {
 public:
  /// `place` is "http://host[:port]", "https://host[:port]" or "unix:/path"; it is checked by the
  /// first request. Only https costs the start of OpenSSL.
  explicit Client(std::string place, ClientOptions = {});
  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;
  ~Client();

  /// Sends the request and reads the whole answer, whatever its status. `unavailable` when nobody
  /// listens or answers in time, `unsupported` when its certificate is not to be trusted or it does
  /// not speak TLS, `invalid` when the place or the answer is malformed, `no_space` when the answer
  /// is over a limit. A kept connection found closed is opened anew; beyond that
  /// only GET, HEAD, PUT, DELETE and OPTIONS are repeated, once.
  Result<Response> send(const Request&);

  /// The same, but a body of status 200 to 299 goes to the reader and not into the Response.
  /// Returns when the body ends or the reader stops it; a body cut short is `unavailable`.
  Result<Response> stream(const Request&, StreamReader);

 private:
  struct Exchange;

  Result<Response> perform(const Request&, StreamReader*);
  Result<void> connect();
  Result<void> connect_tls(const std::string& host, Span deadline);
  void disconnect();
  bool has_input();
  Result<void> exchange(std::string_view wire, Exchange&);
  Result<void> send_all(std::string_view wire, Exchange&);
  Result<std::size_t> send_some(std::string_view wire, Exchange&);
  Result<void> receive(Exchange&);
  Result<std::size_t> receive_some(char* to, std::size_t bytes_max, Exchange&);
  Result<void> wait(Exchange&);

  std::string place_;
  ClientOptions options_;
  std::string authority_;  // The Host field's value, once the place is parsed.
  int socket_ = -1;
  std::unique_ptr<TlsClient> trust_;  // Made by the first https connection.
  std::unique_ptr<TlsSession> tls_;   // Of the connection; null = plain.
};

}  // namespace suan::net
