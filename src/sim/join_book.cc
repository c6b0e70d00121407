// Who may join, and what of them may be sold.
#include <algorithm>

#include "sim/books.h"

namespace suan::sim {

using identity::JoinState;
using identity::Role;

void LifeBook::needs_supplier(std::string_view what) {
  needs_actor(what);
  if (actor_ != UserId{})
    check(roles_[actor_] == Role::operator_ || roles_[actor_] == Role::provider, "rights",
          "neither operator nor provider made this " + std::string(what));
}

void LifeBook::seen(const identity::JoinTokenMade& event) {
  needs_supplier("join token");
  join_tokens_[event.token.id] = event.token;
}

void LifeBook::seen(const identity::JoinAsked& event) {
  const auto token = join_tokens_.find(event.token);
  if (!check(token != join_tokens_.end(), "joining", "a domain asks with a token nobody made"))
    return;
  check(token->second.used_by.empty(), "joining", "a token lets two domains ask");
  check(at_ < token->second.expires, "joining", "a token is used that has expired");
  check(event.joiner.state == JoinState::asked, "joining", "a domain joins that nobody approved");
  for (const auto& [id, other] : joiners_)
    check(other.name != event.joiner.name && other.key != event.joiner.key, "joining",
          event.joiner.name + " asks twice");
  token->second.used_by = event.joiner.name;
  joiners_[event.joiner.id] = event.joiner;
}

void LifeBook::seen(const identity::JoinAnswered& event) {
  needs_supplier("answer");
  const auto joiner = joiners_.find(event.joiner);
  if (!check(joiner != joiners_.end(), "joining", "an answer to nobody")) return;
  check(joiner->second.state != event.state, "joining", "an answer that changes nothing");
  joiner->second.state = event.state;
}

void LifeBook::seen(const catalogue::MemberStarted& event) {
  members_[event.member.id] = event.member.name;
}

void LifeBook::seen(const catalogue::PoolOffered& event) {
  const std::string& member = members_[event.pool.member];
  const auto joiner =
      std::ranges::find_if(joiners_, [&](const auto& each) { return each.second.name == member; });
  if (joiner != joiners_.end() && event.pool.state != ServingState::closed)
    check(joiner->second.state == JoinState::approved, "joining",
          member + " offers and is not approved");
  leases_.see(event);
}

}  // namespace suan::sim
