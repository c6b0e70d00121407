#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "identity/records.h"
#include "jobs/records.h"
#include "model/attempt.h"
#include "model/contract.h"
#include "model/spec.h"
#include "model/supply.h"

/// Everything that can be asked of a domain. Any of them may be refused.
namespace suan::domain {

// From people, through the API. All are idempotent by their request id.

struct CreateOrganisation {
  std::string name;
};

struct CreateProject {
  std::string name;
  std::string organisation;  // "" = that of the caller.
};

struct Deposit {
  std::string project;
  Money amount;
  std::string text;
};

/// Makes a key for a user, and the user and its seats in projects where they are not there yet.
struct CreateKey {
  std::string user;
  std::string organisation;                        // "" = that of the caller; only for a new user.
  identity::Role role = identity::Role::consumer;  // Only for a new user.
  std::vector<std::string> projects;
  std::string label;
  Digest secret_hash;
};

struct RevokeKey {
  KeyId key;
};

/// What a plan promised; submitting with it is refused as plan_stale if it no longer holds.
struct PlanBinding {
  bool is_bound = false;
  PoolId pool;  // 0 = it would wait.
  std::uint32_t alternative = 0;
  Money hourly;  // The whole job.
};

/// `spec.payload` and the payloads of its alternatives are numbered from 1 within this command;
/// `payloads` says how many there are. Their bytes travel beside it.
struct SubmitJob {
  JobSpec spec;
  std::uint32_t payloads = 0;
  PlanBinding plan;
};

struct StopJob {
  JobId job;
};

/// Makes a token with which one domain may ask to join this one.
struct MakeJoinToken {
  std::string label;
  Digest secret_hash;
  Span lasts;  // 1 min to 30 days.
};

/// Says whether a domain that asked to join is a member. May be said again, and otherwise.
struct AnswerJoin {
  std::string name;
  bool is_approved = false;
};

/// Says whether a site whose engines are here takes new work.
struct DrainSite {
  std::string name;
  bool is_draining = false;
};

// From the process itself, as it starts.

/// Makes an empty journal a domain with one organisation and its operator.
struct FoundDomain {
  std::string domain;
  std::string organisation;
  std::string operator_name;
  Digest operator_key_hash;
};

/// A member, here an engine of this process, has started and offers these pools. Pools that it
/// offered before and no longer does are closed.
struct StartMember {
  std::string name;
  std::string note;
  Site site;                // Its id is found by name.
  std::vector<Pool> pools;  // Their ids are found by name.
};

// Between the two ends of the member contract.

struct Reserve {
  jobs::UnitKey unit;
  std::uint32_t attempt = 0;
};

struct Confirm {
  jobs::UnitKey unit;
  std::uint32_t attempt = 0;
};

struct Report {
  Progress progress;
};

/// DestroyPayloads is done.
struct NotePayloadsDestroyed {
  PayloadId first;
};

// From a parent of this domain. The payload of a CommitUnit travels beside the command.

/// A domain that this one has joined may send units from now on.
struct JoinParent {
  std::string name;
  Digest key{};  // Its Ed25519 public key; all zero = not known.
};

/// A message of the member contract, from that parent. Refused as stale if it is about an attempt
/// that is over, as known_already if nothing follows from it.
template <class Message>
struct FromParent {
  ParentId parent;
  Message message;
};

// From a sub-domain of this one.

/// A domain asks to join; whoever it is has shown to hold the key. One that is known asks for
/// nothing, and needs no token.
struct AskToJoin {
  Digest token;  // The hash of its secret; all zero = none.
  std::string name;
  Digest key;  // Its Ed25519 public key.
  std::string note;
};

/// A sub-domain offers its supply, all of it. It is a member from its first offer on.
struct OfferSupply {
  std::string member;
  SupplyOffer offer;
};

template <class Message>
struct FromMember {
  MemberId member;
  Message message;
};

/// A sub-domain has not been connected for so long, by the monotonic clock of this process, which
/// is when every renewal said to it had been said.
struct NoteAbsence {
  MemberId member;
  Span away;
};

// From time itself.

/// Whatever is due first among the timers of the state.
struct Tick {};

/// Place the first waiting unit that fits somewhere now, or keep nodes for one that others pass by.
struct PlaceWaiting {
  std::size_t skip = 0;     // So many lines from the first on are not tried.
  bool may_promise = true;  // Takes a while: whoever asks often does not always ask for it.
};
constexpr std::size_t lines_tried_max = 256;  // By one PlaceWaiting; the heads in queue order.

using Command =
    std::variant<CreateOrganisation, CreateProject, Deposit, CreateKey, RevokeKey, SubmitJob,
                 StopJob, MakeJoinToken, AnswerJoin, DrainSite, FoundDomain, StartMember, Reserve,
                 Confirm, Report, NotePayloadsDestroyed, JoinParent, FromParent<HostUnit>,
                 FromParent<ConfirmUnit>, FromParent<CommitUnit>, FromParent<RenewUnits>,
                 FromParent<StopTask>, FromParent<LetGo>, AskToJoin, OfferSupply,
                 FromMember<UnitHosted>, FromMember<UnitConfirmed>, FromMember<UnitRefused>,
                 FromMember<TaskReport>, NoteAbsence, Tick, PlaceWaiting>;

/// Who asked, and how a repeat is known. Commands of the process itself carry no request.
struct Caller {
  identity::Principal principal;
  RequestId request;
  Digest body;

  bool is_process() const { return request == RequestId{}; }
};

}  // namespace suan::domain
