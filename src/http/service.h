#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "domain/commands.h"
#include "engine/uploads.h"
#include "history/history.h"
#include "http/acquaintance.h"
#include "http/event_streams.h"
#include "http/execs.h"
#include "http/lookups.h"
#include "http/tails.h"
#include "identity/identity.h"
#include "member/engine.h"
#include "member/presence.h"
#include "member/reach.h"
#include "net/server.h"
#include "runtime/core_thread.h"
#include "runtime/follower.h"
#include "spec/read.h"
#include "uplink/uplinks.h"

/// The HTTP API of a domain: requests to commands and queries.
namespace suan::http {

/// What the service is made of. Everything outlives it.
struct ServiceParts {
  runtime::CoreThread& core;
  runtime::Follower& follower;
  const Acquaintance& acquaintance;
  Tails& tails;
  Execs& execs;
  EventStreams& event_streams;
  Lookups& lookups;
  const member::Presences& presences;
  member::Reach* reach = nullptr;  // Absent: nobody is asked what there is to bring.
  std::string domain_secret;       // 32 bytes; new keys are derived from it.
  std::string version;
  Moment started;
  uplink::Uplinks* uplinks = nullptr;     // For sub-domains; absent: none can join.
  engine::Uploads* uploads = nullptr;     // Absent: no working directories are taken.
  std::vector<std::string> more_chips{};  // That the engines have and the catalogue does not know.
};

/// One request on its way through the service.
struct Exchange {
  net::Request request;
  net::Responder responder;
  Digest key;  // The hash of the secret that it came with.
  identity::Principal principal;
  std::shared_ptr<const identity::Identity> identity;
  std::vector<std::string> captured;  // What stood for {…} in the route.
};

/// Answers every request of the server. Called on its I/O threads; holds no state of its own but
/// what it is given, so it may be called from several.
class Service {
 public:
  explicit Service(ServiceParts parts);

  void serve(net::Request&&, net::Responder);

  /// Refuses everything but health from now on, for a graceful stop.
  void close() { is_closing_ = true; }
  bool is_closing() const { return is_closing_; }

  const ServiceParts& parts() const { return parts_; }
  const spec::Known& known() const { return known_; }

  /// Sends a command to the core and answers with its Accepted.
  struct Posting {
    domain::Command command;
    std::vector<std::string> payloads;
    int status = 200;
    std::string secret;  // Shown in the answer, kept nowhere.
  };
  void post(Exchange&, Posting);

  /// Runs a query on the read side, once it has reached ?after_sequence, and answers with its
  /// result.
  using Query = Callback<net::Response(const runtime::View&, const identity::Principal&)>;
  void ask(Exchange&, Query);

  /// What answers when others have been asked, on whatever thread.
  using Later = Callback<void(const std::shared_ptr<net::Responder>&)>;

  /// The same for what lies in the past, or elsewhere: the first step runs on the read side and
  /// answers, or says what to look up. That is done on another thread and gives the query that
  /// answers.
  using Look = Callback<Query(history::History&)>;
  using Step = std::variant<net::Response, Look, Later>;
  using FirstStep = Callback<Step(const runtime::View&, const identity::Principal&)>;
  void ask_past(Exchange&, FirstStep);

 private:
  struct Asker;
  void look_up(Look, const Asker&, std::uint64_t sequence);

  ServiceParts parts_;
  spec::Known known_;
  std::atomic<bool> is_closing_ = false;
};

/// The id of a request from its header Idempotency-Key, or the refusal that it is missing or not
/// one.
std::expected<RequestId, domain::Refusal> request_id_of(const net::Request&);

/// A new secret: 160 bits behind `prefix`, in a form that is easy to paste. Only this domain can
/// make it, and it makes the same for the same request.
std::string derive_secret(const Service&, const Exchange&, const RequestId&,
                          std::string_view prefix);

/// A whole number from a query parameter: its default where absent, nothing where it is not one
/// between 0 and `most`.
std::optional<std::uint64_t> query_number(const net::Request&, std::string_view key,
                                          std::uint64_t otherwise, std::uint64_t most);

}  // namespace suan::http
