#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "domain/decide.h"
#include "domain/terms.h"
#include "placement/rank.h"

/// What the parts of decide share; not for other rooms.
namespace suan::domain {

/// One decision under way: what is known, and the events so far.
struct Deciding {
  const State& state;
  const Caller& caller;
  Moment now;
  Events events;

  template <class T>
  void emit(T event) {
    events.emplace_back(std::move(event));
  }

  /// Emits what makes a repeat of this request get the same answer. First of its record's events.
  void accept(std::string id) {
    if (caller.is_process()) return;
    emit(RequestAccepted{{caller.request, caller.principal.user}, caller.body, std::move(id)});
  }
};

inline std::unexpected<Refusal> refuse(Code code, std::string detail, std::string field = {},
                                       std::string suggestion = {}) {
  return std::unexpected(Refusal{code, std::move(detail), std::move(field), std::move(suggestion)});
}

/// Whether the decision stands; the events are in `Deciding`.
using Ruling = std::expected<void, Refusal>;

Ruling decide_one(Deciding&, const CreateOrganisation&);
Ruling decide_one(Deciding&, const CreateProject&);
Ruling decide_one(Deciding&, const Deposit&);
Ruling decide_one(Deciding&, const CreateKey&);
Ruling decide_one(Deciding&, const RevokeKey&);
Ruling decide_one(Deciding&, const FoundDomain&);
Ruling decide_one(Deciding&, const StartMember&);
Ruling decide_one(Deciding&, const SubmitJob&);
Ruling decide_one(Deciding&, const StopJob&);
Ruling decide_one(Deciding&, const MakeJoinToken&);
Ruling decide_one(Deciding&, const AnswerJoin&);
Ruling decide_one(Deciding&, const DrainSite&);
Ruling decide_one(Deciding&, const Reserve&);
Ruling decide_one(Deciding&, const Confirm&);
Ruling decide_one(Deciding&, const Report&);
Ruling decide_one(Deciding&, const NotePayloadsDestroyed&);
Ruling decide_one(Deciding&, const JoinParent&);
Ruling decide_one(Deciding&, const FromParent<HostUnit>&);
Ruling decide_one(Deciding&, const FromParent<ConfirmUnit>&);
Ruling decide_one(Deciding&, const FromParent<CommitUnit>&);
Ruling decide_one(Deciding&, const FromParent<RenewUnits>&);
Ruling decide_one(Deciding&, const FromParent<StopTask>&);
Ruling decide_one(Deciding&, const FromParent<LetGo>&);
Ruling decide_one(Deciding&, const AskToJoin&);
Ruling decide_one(Deciding&, const OfferSupply&);
Ruling decide_one(Deciding&, const FromMember<UnitHosted>&);
Ruling decide_one(Deciding&, const FromMember<UnitConfirmed>&);
Ruling decide_one(Deciding&, const FromMember<UnitRefused>&);
Ruling decide_one(Deciding&, const FromMember<TaskReport>&);
Ruling decide_one(Deciding&, const NoteAbsence&);
Ruling decide_one(Deciding&, const Tick&);
Ruling decide_one(Deciding&, const PlaceWaiting&);

/// Whether that is a proper name of something in a domain; `field` is its place in the request.
Ruling check_name(std::string_view name, std::string field);

constexpr std::size_t text_length_max = 200;  // Of a label or a text for people.

/// "job-42".
template <class Id>
std::string text_of(Id id) {
  return std::string(id_prefix<Id>) + "-" + std::to_string(id.value);
}

/// The name of one of a table's rows that is nearest to a word; "" if none is near.
template <class Nouns>
std::string nearest_name(std::string_view word, const Nouns& nouns) {
  std::vector<std::string_view> names;
  for (const auto& [id, noun] : nouns) names.push_back(noun.name);
  return std::string(nearest(word, names));
}

/// The best place that starts now, and why: all pools counted by reason, and the best of the
/// others.
struct Choice {
  placement::Candidate best;
  jobs::Placement record;
};
std::optional<Choice> choose_place(const State&, const placement::Demand&);

/// Who asks: a unit, which surely ends at a known time or does not. A guest has no claim.
market::Claim claim_of(const JobSpec&, const jobs::UnitKey&, Moment now);

/// The best place on nodes that are kept for whoever claims, or that others may use meanwhile.
std::optional<Choice> choose_kept(const State&, const placement::Demand&, const market::Claim&);

/// Whether nodes are ever kept for units of a job.
bool may_have_promise(const jobs::Job&);

/// Whether nodes of a pool may be kept for such a unit: none are for one that comes before it.
bool may_keep_in(const State&, const jobs::Job&, const jobs::UnitKey&, PoolId);

/// Keeps nodes for such a unit at the head of a line, for which there is no place now, where what
/// was submitted after it has started before it; false, and no event, if there are none to keep.
bool promise_nodes(Deciding&, const jobs::Job&, const jobs::UnitKey&);

/// The time has come by which the nodes kept for a unit were to be free: keeps some on, or none.
void renew_promise(Deciding&, const jobs::UnitKey&);

/// Whether nodes are kept for a unit that will be free, as far as is known.
bool has_promise(const State&, const jobs::Unit&, Moment now);

/// Keeps nothing for a unit any longer, if anything was kept.
void forget_promise(Deciding&, const jobs::UnitKey&);

/// Whether it is worth a look whether spot work can leave its place to a unit at the head of a
/// line.
bool may_clear(const State&, const jobs::Job&, const jobs::UnitKey&, Moment now);

/// Stops spot work so that such a unit finds a place; false, and no event, if that helps nowhere.
bool clear_place(Deciding&, const jobs::Job&, const jobs::UnitKey&);

/// A place for the first unit of a job or, of a gang that may be spread, for all of them, as close
/// together as may be; empty if that cannot start now. The cost is that of the whole job.
std::vector<Choice> choose_places(const State&, const JobSpec&, const market::Claim&, Moment now);

/// What is recorded of a choice: all pools counted by reason, and the best of the others.
Choice record_choice(const State&, const placement::Demand&, const placement::Ranking&,
                     const placement::Candidate& best);

/// As choose_place, for work with a start.window: by what a run from now on costs.
std::optional<Choice> choose_hour(const State&, const JobSpec&, Moment now);

/// An hour begins, if any of what is offered goes by the hour.
void begin_hour(Deciding&);

/// The same when the first of it is offered.
void begin_first_hour(Deciding&, const Hourly&);

/// The terms of a pool with rates, for work that starts there now.
void note_rates(const Pool&, const JobSpec&, Moment now, jobs::Placement&);

/// A unit that looks for a place. Borrows all but its key.
struct Seeker {
  jobs::UnitKey key;
  const JobSpec& spec;
  std::uint32_t attempt = 0;
  const ledger::Hold& hold;  // As it will be when the events so far have been applied.
  Money owed{};              // Of its job.
};

/// Whether a unit could be paid at that price for all of its tasks.
bool can_pay(const Deciding&, const Seeker&, const Fare&);

/// Gives a unit the place chosen for it; false, and no event, if it cannot be paid.
bool place_unit(Deciding&, const Seeker&, Choice);

/// Whether there would be room for all of a gang that may be spread if nothing else ran.
Ruling check_room(const State&, const JobSpec&);

/// Gives this unit and those after it their places; false, and no event, if they cannot all be
/// paid.
bool place_all(Deciding&, const Seeker& first, std::vector<Choice>);

/// Returns a unit that has not been launched to the queue, with all that are bound with it.
void return_unit(Deciding&, const jobs::Job&, const jobs::UnitKey&, jobs::Setback,
                 Moment queue_at = {});

/// Confirms those leases of a unit that are not.
void keep_leases(Deciding&, const jobs::Unit&);

/// The same of a part of a gang that is spread; launches all of it if that was the last part.
void keep_part(Deciding&, const jobs::Job&, const jobs::UnitKey&);

/// Ends an attempt of a gang that is spread, or has it tried again, once nothing of it is live; as
/// conclude_unit. `rest` is what is left of the allowances.
void conclude_gang(Deciding&, const jobs::Job&, jobs::UnitEnded end, Money taken, Money rest,
                   jobs::Setback lost = jobs::Setback::site_lost);

/// Gives back what a unit that has not been launched holds: its leases and its allowance.
void give_up_placement(Deciding&, const jobs::Job&, const jobs::UnitKey&);

/// Ends a guest of which nothing has run: whoever sent it hears why.
void refuse_guest(Deciding&, const jobs::Job&, std::string reason);

/// The member could not take a unit after all, or what it says cannot be.
void take_back(Deciding&, const jobs::Job&, const jobs::UnitKey&, jobs::Setback,
               std::string reason);

/// What the attempt of a unit came to that ended like this: first of its tasks that went wrong, or
/// `otherwise`.
jobs::UnitEnded verdict_of(const jobs::Unit&, jobs::UnitEnded otherwise);

/// Ends the attempt of a unit, all tasks of which have ended; `taken` is what leaves the job's hold
/// with it. It is tried again if it may be and its budget pays for it.
void conclude_unit(Deciding&, const jobs::Job&, jobs::UnitEnded end, Money taken,
                   jobs::Setback lost = jobs::Setback::site_lost);

/// Gives up an attempt that its member must have stopped by itself, or says it has lost sight of.
void lose_unit(Deciding&, const jobs::Job&, const jobs::UnitKey&, std::string reason);

/// What a member tells of an attempt that was given up; refused as stale if that is none.
Ruling hear_of_lost(Deciding&, MemberId, const UnitAttempt&, std::uint32_t index, const Progress&);

/// Nothing ran of an attempt that was given up; false if that is none.
bool close_unstarted(Deciding&, MemberId, const UnitAttempt&);

/// The time to wait for the member of a lost attempt is over.
Ruling wait_no_longer(Deciding&, const jobs::UnitKey&, Moment until);

/// How long a unit may run and for what time it is paid once it is launched now.
jobs::UnitLaunched launch_terms(const Deciding&, const jobs::Job&, const jobs::UnitKey&);

/// Confirms all leases of a unit, which are there, and launches it.
void launch_unit(Deciding&, const jobs::Job&, const jobs::UnitLaunched&);

/// How long a member may run on without hearing from home: `run_for`, or less if the user wants
/// another attempt when it is cut off. 0 = no limit.
Span bounded_by_cut(const jobs::Job&, Span run_for);

/// One heartbeat: renews a unit whose time has come, and with it all at its member whose time comes
/// soon.
void renew_units(Deciding&, const jobs::Job&, const jobs::UnitKey&);

/// Asks that everything of a unit stops that has been launched.
void stop_unit(Deciding&, const jobs::Job&, const jobs::UnitKey&, AttemptEnd why);

/// Whether this much still pays for a minute of a unit at that price.
bool pays_for_a_minute(const JobSpec&, const Fare&, Money left);

/// The ruling about a message that comes too late to matter.
std::unexpected<Refusal> stale();

/// The ruling about a message that changes nothing.
inline std::unexpected<Refusal> nothing_new() {
  return refuse(Code::known_already, "nothing follows from this");
}

/// Whether that much may come in from outside: more would near the end of what Money holds.
bool may_come_in(const State&, Money);

/// Ends a job whose units have all ended, `held` being what is left in its hold.
void end_job(Deciding&, const jobs::Job&, jobs::Outcome, const jobs::UnitEnded& last, Money held);

}  // namespace suan::domain
