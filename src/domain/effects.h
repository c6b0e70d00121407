#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "domain/events.h"
#include "domain/state.h"
#include "model/attempt.h"
#include "model/contract.h"

/// What the world must be told once events are durable. Effects are not stored: they follow from
/// the events as they happen, and after a restart from the state. Each may be sent again; its
/// receiver does it once.
namespace suan::domain {

/// Ask the member for the leases of a placed unit.
struct AskReserve {
  MemberId member;
  jobs::UnitKey unit;
  std::uint32_t attempt = 0;
};

/// Confirm the leases of a granted unit.
struct AskConfirm {
  MemberId member;
  jobs::UnitKey unit;
  std::uint32_t attempt = 0;
};

/// What an attempt may run for counts from when that was decided, however long the effect is on its
/// way: `decided` is that moment by the monotonic clock of the process (0 = it does not matter),
/// and count_down() what is left.
struct AskLaunch {
  MemberId member;
  Launch launch;
  Moment decided{};
};

struct AskRenew {
  MemberId member;
  RenewAttempt renew;
  Moment decided{};
};

struct AskStop {
  MemberId member;
  StopAttempt stop;
};

struct AskForget {
  MemberId member;
  ForgetAttempt forget;
};

/// Say this to a sub-domain.
struct TellMember {
  MemberId member;
  std::variant<HostUnit, ConfirmUnit, CommitUnit, RenewUnits, StopTask, LetGo> message;
  Moment decided{};  // Of CommitUnit and RenewUnits.
};

/// Say this to a parent.
struct TellParent {
  ParentId parent;
  std::variant<UnitHosted, UnitConfirmed, UnitRefused, TaskReport> message;
};

/// Destroy the sealed payloads of a job that left hot state, then say NotePayloadsDestroyed.
struct DestroyPayloads {
  PayloadId first;
  std::uint32_t count = 0;
};

using Effect = std::variant<AskReserve, AskConfirm, AskLaunch, AskRenew, AskStop, AskForget,
                            TellMember, TellParent, DestroyPayloads>;
using Effects = std::vector<Effect>;

/// Appends the effects of one record's events; `after` is the state that has just applied them.
void add_effects(const State& after, const Events&, Effects&);

/// Notes when effects were decided.
void stamp(Effect&, Moment decided);

/// Takes off a `run_for` what has passed by the same clock. False if nothing is left.
bool count_down(Span& run_for, Moment decided, Moment now);

/// The same for all of a heartbeat; those of which nothing is left are no longer part of it. False
/// if that are all.
bool count_down(RenewUnits&, Moment decided, Moment now);

/// Everything that may still be under way in this process and with its engines, for a restart.
Effects outstanding_effects(const State&);

/// The same with one sub-domain or one parent, for the beginning of a connection, in the order in
/// which it is to be said.
Effects outstanding_for(const State&, MemberId);
Effects outstanding_for(const State&, ParentId);

}  // namespace suan::domain
