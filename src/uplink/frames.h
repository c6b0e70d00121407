#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "member/exec.h"
#include "model/contract.h"
#include "model/transfer.h"
#include "naming/records.h"

/// What goes over the connection between a sub-domain, which dials, and its parent: one message of
/// the WebSocket each, a byte that says of which kind it is and the bytes of its record
/// (wire/bytes.h). docs/formats/uplink.md has the same table. A kind or a version is never given
/// another meaning; fields that one side does not know are skipped.
namespace suan::uplink {

inline constexpr std::uint32_t version_min = 1;  // Of the uplink, that this program speaks.
inline constexpr std::uint32_t version_max = 4;
inline constexpr std::uint32_t version_of_heartbeats = 4;  // From which on Renewals are spoken.

inline constexpr std::size_t frame_bytes_max = 4U << 20U;
inline constexpr std::size_t offer_bytes_max = 64U << 20U;      // All parts of one offer together.
inline constexpr std::size_t offer_part_bytes_max = 1U << 20U;  // Of one part.

// The handshake: who dials greets, is challenged, and proves who it is.

/// Up, first of all.
struct Greeting {
  std::uint32_t version_min = 0;
  std::uint32_t version_max = 0;
  Digest nonce;  // Random.

  static void fields(auto&& visit, auto& self) {
    visit(1, "version_min", self.version_min);
    visit(2, "version_max", self.version_max);
    visit(3, "nonce", self.nonce);
  }
};

/// Down. `signature` is by `key` over the greeting and this message without it.
struct Challenge {
  std::uint32_t version = 0;  // That both speak from here on.
  std::string domain;
  Digest key;    // Ed25519 (RFC 8032).
  Digest nonce;  // Random.
  std::string signature;

  static void fields(auto&& visit, auto& self) {
    visit(1, "version", self.version);
    visit(2, "domain", self.domain);
    visit(3, "key", self.key);
    visit(4, "nonce", self.nonce);
    visit(5, "signature", self.signature);
  }
};

/// Up. `signature` is by `key` over the greeting, the challenge and this message without it.
struct Hello {
  std::string domain;
  Digest key;
  std::string token;  // To be asked in with; "" = none.
  std::string note;   // For people.
  std::string signature;

  static void fields(auto&& visit, auto& self) {
    visit(1, "domain", self.domain);
    visit(2, "key", self.key);
    visit(3, "token", self.token);
    visit(4, "note", self.note);
    visit(5, "signature", self.signature);
  }
};

/// Down: known, and not approved yet. Either Welcome or the end follows.
struct Pending {
  static void fields(auto&&, auto&) {}
};

/// Down: the sub-domain is a member; now both sides say what is under way.
struct Welcome {
  std::vector<Digest> ancestors;    // The keys of this domain and of all above it.
  std::vector<std::string> path{};  // Their names, from the root to this domain, by one way.

  static void fields(auto&& visit, auto& self) {
    visit(1, "ancestors", self.ancestors);
    visit(2, "path", self.path);
  }
};

/// Down, later: they are others now.
struct Ancestry {
  std::vector<Digest> ancestors;
  std::vector<std::string> path{};

  static void fields(auto&& visit, auto& self) {
    visit(1, "ancestors", self.ancestors);
    visit(2, "path", self.path);
  }
};

// What is more than a message of the member contract (model/contract.h).

/// Down: a CommitUnit with its payload. `heard` is the number of the last heartbeat that had come;
/// what it may run for counts from when that left.
struct Commit {
  CommitUnit commit;
  std::string payload;
  std::uint64_t heard = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "commit", self.commit);
    visit(2, "payload", self.payload);
    visit(3, "heard", self.heard);
  }
};

/// Down: a RenewUnit, likewise.
struct Renewal {
  RenewUnit renew;
  std::uint64_t heard = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "renew", self.renew);
    visit(2, "heard", self.heard);
  }
};

/// Down, from version 4 on: the same of all units that one heartbeat renews.
struct Renewals {
  RenewUnits renewals;
  std::uint64_t heard = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "renewals", self.renewals);
    visit(2, "heard", self.heard);
  }
};

/// Up: the bytes of a SupplyOffer, in parts of at most `offer_part_bytes_max`.
struct OfferPart {
  std::string bytes;
  bool is_last = false;

  static void fields(auto&& visit, auto& self) {
    visit(1, "bytes", self.bytes);
    visit(2, "is_last", self.is_last);
  }
};

/// Up, every few seconds: numbers grow by one. `rtt` is the last round trip of one; 0 = none yet.
struct Heartbeat {
  std::uint64_t number = 0;
  Span rtt;

  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(2, "rtt", self.rtt);
  }
};

/// Down: a heartbeat has come.
struct Echo {
  std::uint64_t number = 0;

  static void fields(auto&& visit, auto& self) { visit(1, "number", self.number); }
};

enum class StreamKind : std::uint8_t { log, exec, workdir };

/// Up, from version 2 on: open a stream of kind `workdir` and give it the working directory of a
/// unit that is hosted here, from `offset` on.
struct AskWorkdir {
  UnitAttempt unit;
  std::string sha256;
  std::uint64_t offset = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "sha256", self.sha256);
    visit(3, "offset", self.offset);
  }
};

/// Down: dial /v1/uplink/streams/{id} and give it what a task writes from `offset` on, or run
/// commands beside it as the messages of that stream say (api/exec.h), or take from it what was
/// asked for.
struct OpenStream {
  std::string id;  // A secret, good for once.
  StreamKind kind = StreamKind::log;
  UnitAttempt unit;
  std::uint32_t index = 0;  // Of the task within the unit.
  member::LogStream stream = member::LogStream::output;
  std::uint64_t offset = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "kind", self.kind);
    visit(3, "unit", self.unit);
    visit(4, "index", self.index);
    visit(5, "stream", self.stream);
    visit(6, "offset", self.offset);
  }
};

// Names, from version 2 on. Each question has a number, which its answer repeats.

/// Up: what does this identifier name?
struct AskParent {
  std::uint64_t number = 0;
  std::string identifier;

  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(2, "identifier", self.identifier);
  }
};

/// Down: what does this identifier name, of which the first `depth` domains lead to you? With
/// `pool` it is that of you yourself: what is the pool called that you offer under this id?
struct AskChild {
  std::uint64_t number = 0;
  std::string identifier;
  PoolId pool;
  std::uint32_t depth = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(2, "identifier", self.identifier);
    visit(3, "pool", self.pool);
    visit(4, "depth", self.depth);
  }
};

/// Up: the answer to AskChild.
struct AnswerParent {
  std::uint64_t number = 0;
  naming::NameAnswer answer;

  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(2, "answer", self.answer);
  }
};

/// Down: the answer to AskParent.
struct AnswerChild {
  std::uint64_t number = 0;
  naming::NameAnswer answer;

  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(2, "answer", self.answer);
  }
};

// Data, from version 3 on, by numbers as well.

/// Down: how much is there to bring for work in the pool that you offer under this id?
struct AskData {
  std::uint64_t number = 0;
  PoolId pool;
  DataQuestion question;

  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(2, "pool", self.pool);
    visit(3, "question", self.question);
  }
};

/// Up: the answer.
struct AnswerData {
  std::uint64_t number = 0;
  DataAnswer answer;

  static void fields(auto&& visit, auto& self) {
    visit(1, "number", self.number);
    visit(2, "answer", self.answer);
  }
};

using Frame =
    std::variant<Greeting, Challenge, Hello, Pending, Welcome, Ancestry, HostUnit, ConfirmUnit,
                 Commit, Renewal, Renewals, StopTask, LetGo, OpenStream, Echo, UnitHosted,
                 UnitConfirmed, UnitRefused, TaskReport, OfferPart, SupplyReading, Heartbeat,
                 AskWorkdir, AskParent, AskChild, AnswerParent, AnswerChild, AskData, AnswerData>;

template <class Message, class... Messages>
inline constexpr bool is_one_of = (std::is_same_v<Message, Messages> || ...);

std::string print_frame(const Frame&);

/// `invalid` for bytes that are none, `unsupported` for a kind that is not known, by its number.
Result<Frame> parse_frame(std::string_view);

/// Why a connection is closed, as the code of the WebSocket (RFC 6455 §7.4.2, free for all).
enum class CloseCode : std::uint16_t {
  bad_frame = 4400,    // What was said is not in the table, or not at this time.
  not_invited = 4401,  // Not known, and with no token that is good.
  refused = 4403,   // The operator does not want this domain as a member, or the circle it makes.
  late = 4408,      // The handshake took too long.
  replaced = 4409,  // The same domain has connected again.
  version = 4426,   // There is no version that both speak.
  busy = 4503,      // Too many wait; try again.
};

}  // namespace suan::uplink
