#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/views.h"
#include "domain/state.h"
#include "identity/identity.h"
#include "runtime/core.h"

/// Records as those who watch are told of them: event by event, each at a place of its own.
namespace suan::http {

/// The place of an event among all events of the domain. The API prints it as "17.2": event 2,
/// counted from 0, of record 17.
struct EventPlace {
  std::uint64_t sequence = 1;
  std::uint32_t index = 0;

  friend constexpr auto operator<=>(const EventPlace&, const EventPlace&) = default;
};

std::string print_place(const EventPlace&);

/// The first place after what `id` names: one event ("17.2") or a whole record ("17"). Nothing if
/// it is neither.
std::optional<EventPlace> place_after(std::string_view id);

/// One event.
struct Change {
  const char* event = "";                       // Its name in the journal.
  JobId job;                                    // The job it is about, or none.
  ProjectId project;                            // Of that job; none while nobody has looked it up.
  api::JobState state = api::JobState::queued;  // Of that job, when it was looked up.
};

/// The events of one record, in their order and all of them: a place counts those too that a reader
/// may not see.
struct ChangedRecord {
  std::uint64_t sequence = 0;
  Moment at;
  std::vector<Change> changes;
};

/// The changes of a record, nothing looked up yet.
ChangedRecord list_changes(std::uint64_t sequence, Moment at, const domain::Events&);

/// Fills in the jobs that `state` has.
void look_up_jobs(ChangedRecord&, const domain::State& state);

/// Whether somebody is told of a change. Events without a job are about supply, which all may see,
/// or about people and money, of which only their names are told. That a job leaves hot state is
/// the domain's own housekeeping.
bool may_see(const identity::Identity&, const identity::Principal&, const Change&);

/// One change as a server-sent event.
std::string print_change(const ChangedRecord&, std::uint32_t index);

}  // namespace suan::http
