#include "domain/decide.h"

#include <utility>

#include "base/ensure.h"
#include "base/text.h"
#include "domain/deciding.h"

namespace suan::domain {

namespace {

// How many events a command mostly leads to.
std::size_t usual_events(const Command& command) {
  if (std::holds_alternative<SubmitJob>(command)) return 6;
  return std::holds_alternative<Report>(command) ? 8 : 2;
}

}  // namespace

Decision decide(const State& state, const Command& command, const Caller& caller, Moment now,
                std::pmr::memory_resource* memory) {
  ensure(now >= state.essence().now);
  Deciding deciding{state, caller, now, Events(memory)};
  deciding.events.reserve(usual_events(command));
  const Ruling ruling =
      std::visit([&](const auto& each) { return decide_one(deciding, each); }, command);
  if (!ruling) {
    ensure(deciding.events.empty());  // A refusal leaves nothing half done.
    return std::unexpected(ruling.error());
  }
  return std::move(deciding.events);
}

std::expected<void, Refusal> check_request(const State& state, const Caller& caller, Moment now) {
  if (caller.request == RequestId{}) {
    return refuse(Code::request_id_missing,
                  "this request changes something and needs a request id: send a new UUIDv7 in the "
                  "header Idempotency-Key, and the same one when you repeat the request");
  }
  const Moment made{caller.request.unix_ms() * 1000};
  const Moment oldest = now - requests_remembered;
  if (made < oldest || made < state.essence().requests_forgotten) {
    return refuse(
        Code::request_too_old,
        "this request id was made at " + print_moment(made) +
            "; ids older than 7 days are not remembered, so it may have been done already: "
            "look before you send it under a new id");
  }
  if (made > now + clock_ahead_max) {
    return refuse(Code::request_in_future, "this request id was made at " + print_moment(made) +
                                               ", in the future; set the clock of the client");
  }
  return {};
}

std::expected<void, Refusal> authorise(const State& state, const Caller& caller,
                                       identity::Action action, ProjectId project) {
  if (state.identity().may(caller.principal, action, project)) return {};
  switch (action) {
    case identity::Action::run_in_project:
    case identity::Action::read_project:
      // A project of others is as unknown as one that does not exist.
      return refuse(Code::project_unknown, "there is no such project, or you have no seat in it",
                    "/project");
    case identity::Action::fund_project:
    case identity::Action::manage_identity:
      return refuse(Code::forbidden, "only an operator may do this: use an operator's key");
    case identity::Action::manage_supply:
      return refuse(Code::forbidden, "only an operator or a provider may do this");
    case identity::Action::read_domain:
      break;
  }
  return refuse(Code::forbidden, "your role does not allow this");
}

}  // namespace suan::domain
