#include "runtime/contract.h"

#include <utility>
#include <variant>

namespace suan::runtime {

using domain::Code;

domain::Command to_command(ParentId parent, const Down& down) {
  return std::visit(
      [&](const auto& message) {
        return domain::Command(
            domain::FromParent<std::remove_cvref_t<decltype(message)>>{parent, message});
      },
      down);
}

domain::Command to_command(MemberId member, const Up& up) {
  return std::visit(
      [&](const auto& message) {
        return domain::Command(
            domain::FromMember<std::remove_cvref_t<decltype(message)>>{member, message});
      },
      up);
}

// Who asked for something to be run is told that it is not; anything else that is refused changes
// nothing, and what was said before stands.
std::optional<Up> answer_to(const Down& down, const Reply& reply) {
  if (reply || reply.error().code == Code::known_already) return std::nullopt;
  if (const auto* host = std::get_if<HostUnit>(&down))
    return UnitRefused{host->unit, reply.error().detail};
  if (reply.error().code != Code::stale) return std::nullopt;
  if (const auto* keep = std::get_if<ConfirmUnit>(&down))
    return UnitRefused{keep->unit, reply.error().detail};
  if (const auto* commit = std::get_if<CommitUnit>(&down))
    return UnitRefused{commit->unit, reply.error().detail};
  // It never came here, or is over: whoever wants it stopped need not wait.
  if (const auto* stop = std::get_if<StopTask>(&down))
    return UnitRefused{stop->unit, reply.error().detail};
  return std::nullopt;
}

// What is over here is to be over there.
std::optional<Down> answer_to(const Up& up, const Reply& reply) {
  if (reply || reply.error().code != Code::stale) return std::nullopt;
  return LetGo{std::visit([](const auto& message) { return message.unit; }, up)};
}

domain::Caller link_caller() {
  domain::Caller caller;
  caller.principal = {UserId{1}, identity::Role::operator_};
  return caller;
}

}  // namespace suan::runtime
