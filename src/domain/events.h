#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/time.h"
#include "catalogue/records.h"
#include "identity/records.h"
#include "jobs/records.h"
#include "ledger/records.h"
#include "market/records.h"

/// Everything that can have happened in a domain. An event is a fact: `apply` cannot refuse it, and
/// its code in the journal is never given to another.
namespace suan::domain {

/// The first event of every journal.
struct DomainFounded {
  static constexpr std::uint32_t code = 1;
  static constexpr const char* name = "domain_founded";
  std::string domain;
  static void fields(auto&& visit, auto& self) { visit(1, "domain", self.domain); }
};

/// What a request made or changed, so that its repeat gets the same answer.
struct Answer {
  std::string id;              // "job-42".
  std::uint64_t sequence = 0;  // Of the record.
  Digest body;                 // Of the request.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "sequence", self.sequence);
    visit(3, "body", self.body);
  }
};

/// Requests are remembered by id within their user.
struct RequestKey {
  RequestId request;
  UserId user;

  friend constexpr auto operator<=>(const RequestKey&, const RequestKey&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "request", self.request);
    visit(2, "user", self.user);
  }
};

/// A request was accepted; the other events of its record are its effect.
struct RequestAccepted {
  static constexpr std::uint32_t code = 60;
  static constexpr const char* name = "request_accepted";
  RequestKey key;
  Digest body;
  std::string id;
  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "body", self.body);
    visit(3, "id", self.id);
  }
};

/// Requests made before this moment are forgotten; their repeats are refused as too old.
struct RequestsForgotten {
  static constexpr std::uint32_t code = 61;
  static constexpr const char* name = "requests_forgotten";
  Moment before;
  static void fields(auto&& visit, auto& self) { visit(1, "before", self.before); }
};

/// The sealed payloads of an evicted job, numbered from `first`, are destroyed.
struct PayloadsDestroyed {
  static constexpr std::uint32_t code = 62;
  static constexpr const char* name = "payloads_destroyed";
  PayloadId first;
  static void fields(auto&& visit, auto& self) { visit(1, "first", self.first); }
};

using Event = std::variant<
    DomainFounded, identity::OrganisationCreated, identity::UserCreated, identity::ProjectCreated,
    identity::SeatTaken, identity::KeyCreated, identity::KeyRevoked, identity::ParentJoined,
    identity::JoinTokenMade, identity::JoinAsked, identity::JoinAnswered, ledger::Deposited,
    ledger::Withdrawn, ledger::Held, ledger::HoldExtended, ledger::HoldReturned, ledger::Charged,
    ledger::Allotted, catalogue::MemberStarted, catalogue::SiteDescribed, catalogue::PoolOffered,
    catalogue::HourTurned, market::LeaseGranted, market::LeaseConfirmed, market::LeaseReleased,
    jobs::JobSubmitted, jobs::UnitQueued, jobs::UnitPutOff, jobs::UnitPromised, jobs::PlaceCleared,
    jobs::UnitPlaced, jobs::UnitGranted, jobs::UnitReturned, jobs::UnitLaunched, jobs::UnitRenewed,
    jobs::TaskStarted, jobs::TaskStopping, jobs::TaskEnded, jobs::AttemptLost, jobs::LostTaskTold,
    jobs::LostAttemptClosed, jobs::UnitEnded, jobs::JobStopping, jobs::JobEnded, jobs::JobEvicted,
    jobs::GuestCommitted, jobs::GuestKept, jobs::GuestRefused, jobs::GuestLetGo, RequestAccepted,
    RequestsForgotten, PayloadsDestroyed>;

/// Those of one record. They may lie in memory that the records of a batch share; a copy never
/// does.
using Events = std::pmr::vector<Event>;

}  // namespace suan::domain
