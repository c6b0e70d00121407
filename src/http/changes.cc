#include "http/changes.h"

#include <concepts>
#include <variant>

#include "base/text.h"
#include "http/show.h"
#include "net/sse.h"
#include "runtime/codec.h"
#include "wire/json.h"

namespace suan::http {

namespace {

JobId job_of(const domain::Event& event) {
  return std::visit(
      [](const auto& each) -> JobId {
        if constexpr (requires { each.unit.job; })
          return each.unit.job;
        else if constexpr (requires { each.key.job; })
          return each.key.job;
        else if constexpr (requires { each.attempt.job; })
          return each.attempt.job;
        else if constexpr (requires { each.lease.holder.job; })
          return each.lease.holder.job;
        else if constexpr (requires {
                             { each.job } -> std::same_as<const JobId&>;
                           })
          return each.job;
        else
          return {};
      },
      event);
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  const auto number = parse_integer(text);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

std::string print_place(const EventPlace& place) {
  return std::to_string(place.sequence) + "." + std::to_string(place.index);
}

std::optional<EventPlace> place_after(std::string_view id) {
  const std::size_t point = id.find('.');
  const auto sequence = parse_count(id.substr(0, point));
  if (!sequence || *sequence > INT64_MAX / 2) return std::nullopt;
  if (point == std::string_view::npos) return EventPlace{*sequence + 1, 0};
  const auto index = parse_count(id.substr(point + 1));
  if (!index || *index >= UINT32_MAX) return std::nullopt;
  return EventPlace{*sequence, static_cast<std::uint32_t>(*index) + 1};
}

ChangedRecord list_changes(std::uint64_t sequence, Moment at, const domain::Events& events) {
  ChangedRecord record{.sequence = sequence, .at = at, .changes = {}};
  record.changes.reserve(events.size());
  for (const domain::Event& event : events)
    record.changes.push_back({.event = runtime::event_name(event),
                              .job = job_of(event),
                              .project = {},
                              .state = api::JobState::queued});
  return record;
}

void look_up_jobs(ChangedRecord& record, const domain::State& state) {
  for (Change& change : record.changes) {
    const jobs::Job* job = change.job ? state.jobs().find(change.job) : nullptr;
    if (job == nullptr) continue;
    change.project = job->spec->project;
    change.state = job_state(*job);
  }
}

bool may_see(const identity::Identity& identity, const identity::Principal& principal,
             const Change& change) {
  using identity::Action;
  if (!change.job) return identity.may(principal, Action::read_domain);
  if (!change.project || change.event == std::string_view(jobs::JobEvicted::name))
    return identity.may(principal, Action::read_project);
  return identity.may(principal, Action::read_project, change.project);
}

std::string print_change(const ChangedRecord& record, std::uint32_t index) {
  const Change& change = record.changes[index];
  const api::Notice notice{.sequence = record.sequence,
                           .at = record.at,
                           .event = change.event,
                           .job = change.job,
                           .state = change.state};
  return net::print_event({.id = print_place({record.sequence, index}),
                           .event = "change",
                           .data = wire::to_json(notice)});
}

}  // namespace suan::http
