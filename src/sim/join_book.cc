// Who may join, and what of them may be sold; which sites take nothing new.
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

void LifeBook::seen(const catalogue::SiteDescribed& event) {
  map_.see(event.site);
  const bool was_draining = drained_.contains(event.site.id);
  if (was_draining == event.site.is_draining) return;
  const bool is_of_member = event.site.name.find('.') != std::string::npos;
  if (!is_of_member) needs_supplier(event.site.is_draining ? "drained site" : "resumed site");
  coverage_.hit(event.site.is_draining ? Branch::site_drained : Branch::site_resumed);
  event.site.is_draining ? static_cast<void>(drained_.insert(event.site.id))
                         : static_cast<void>(drained_.erase(event.site.id));
}

void LifeBook::seen(const catalogue::PoolOffered& event) {
  check(event.pool.remote || event.pool.state != ServingState::production ||
            !drained_.contains(event.pool.site),
        "drain", "a pool of a drained site takes new work");
  const std::string& member = members_[event.pool.member];
  const auto joiner =
      std::ranges::find_if(joiners_, [&](const auto& each) { return each.second.name == member; });
  if (joiner != joiners_.end() && event.pool.state != ServingState::closed)
    check(joiner->second.state == JoinState::approved, "joining",
          member + " offers and is not approved");
  leases_.see(event);
}

}  // namespace suan::sim
