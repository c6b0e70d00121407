#pragma once

#include <string>
#include <string_view>

#include "api/views.h"
#include "base/digest.h"
#include "cli/fault.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "net/client.h"
#include "wire/json.h"

namespace suan::cli {

/// A change that was written down before it was sent, so that it can be sent again under the same
/// id: the server then gives the same answer and does nothing twice.
struct StoredRequest {
  RequestId id = {};
  std::string url = {};     // Of the server it is for.
  std::string method = {};  // "POST".
  std::string target = {};
  std::string body = {};
};

/// The directory that stored requests are in.
std::string requests_directory();

/// Writes one small file of mode 0600 under `requests_directory`. It survives a crash of this
/// program, not one of the machine: it is not synced, for speed.
Outcome<void> store_request(const StoredRequest&);
Outcome<StoredRequest> read_stored_request(std::string_view id);
void forget_request(const RequestId&);

/// The requests that this program makes of one server. One thread.
class Session {
 public:
  /// `shows_curl`: each request is printed as a curl command instead of being sent, and ends in a
  /// fault of Exit::ok. An answer is awaited for `patience`.
  Session(Settings settings, Screen& screen, bool shows_curl, Span patience = seconds(60));

  /// The body of an answer of status 200 to 299.
  Outcome<std::string> get(std::string_view target);
  /// A POST that changes nothing (find, plans).
  Outcome<std::string> ask(std::string_view target, std::string_view body);

  /// A PUT of bytes that are no JSON, which may be sent again.
  Outcome<std::string> put(std::string_view target, std::string_view bytes);

  /// A change: stored, sent, and sent again under the same id while the connection is lost or the
  /// server is too busy, for up to 15 s or `patience`; forgotten once answered. When no answer
  /// came, the fault tells how to send it again.
  Outcome<api::Accepted> change(net::Method, std::string_view target, std::string_view body);
  /// Sends a stored one again.
  Outcome<api::Accepted> resume(std::string_view id);

  /// Streams the body of a GET into `reader`.
  Outcome<void> stream(std::string_view target, net::StreamReader reader);

  template <wire::Record T>
  Outcome<T> read(std::string_view target) {
    SUAN_TRY(const std::string body, get(target));
    return parse<T>(body);
  }

  template <wire::Record T>
  static Outcome<T> parse(std::string_view body) {
    auto value = wire::from_json<T>(body);
    if (!value) return std::unexpected(misunderstood(value.error()));
    return *std::move(value);
  }

  const Settings& settings() const { return settings_; }

 private:
  static Fault misunderstood(const Failure&);
  net::Request make_request(net::Method, std::string_view target, std::string_view body) const;
  Outcome<net::Response> exchange(const net::Request&);
  // How a change ended; when it `may_be_done`, asking again under its id is the way to know.
  struct Delivery {
    Result<net::Response> response;
    bool may_be_done = false;
  };
  Delivery send_until_answered(const net::Request&);
  Outcome<api::Accepted> deliver(net::Method, const StoredRequest&);

  Settings settings_;
  Screen& screen_;
  net::Client client_;
  Span retry_span_;
  bool shows_curl_;
};

/// A new UUIDv7 from the clock and the system's random numbers.
RequestId new_request_id();

/// The fault that an error answer means: its problem document (RFC 9457), or its status.
Fault to_fault(const net::Response&);

/// "curl …": the request as a command for a shell, with the key as $SUAN_KEY.
std::string print_curl(const Settings&, const net::Request&);

/// One word for a POSIX shell: in single quotes where it needs them.
std::string shell_word(std::string_view text);

}  // namespace suan::cli
