// Decides which domains may join this one: a token lets one ask, and an operator answers.
#include <string>
#include <utility>

#include "domain/deciding.h"

namespace suan::domain {

using identity::JoinState;

namespace {

constexpr Span token_lasts_min = minutes(1);
constexpr Span token_lasts_max = hours(30 * 24);
constexpr const char* new_token = "; `suan join token` on the parent makes one";

// Sites of a member are known as "member.site".
bool is_within(std::string_view name, std::string_view member) {
  return name.size() > member.size() && name.starts_with(member) && name[member.size()] == '.';
}

// Whether somebody has that name, or sites could not be told apart: those of "a" that are called
// "b.c", and those of "a.b" that are called "c".
bool is_taken(const State& state, std::string_view name) {
  const auto meets = [&](std::string_view other) {
    return name == other || is_within(name, other) || is_within(other, name);
  };
  for (const auto& [id, joiner] : state.identity().joiners()) {
    if (meets(joiner.name)) return true;
  }
  for (const auto& [id, member] : state.catalogue().members()) {
    if (meets(member.name)) return true;
  }
  for (const auto& [id, site] : state.catalogue().sites()) {
    if (is_within(site.name, name)) return true;
  }
  return false;
}

std::expected<JoinTokenId, Refusal> usable_token(const Deciding& deciding, const Digest& secret) {
  const auto refused = [](std::string why) {
    return refuse(Code::join_token_invalid, std::move(why) + new_token, "/token");
  };
  if (secret == Digest{}) return refused("this domain is not known here and sent no join token");
  const identity::JoinToken* token = deciding.state.identity().find_join_token(secret);
  if (token == nullptr) return refused("the join token is unknown");
  if (!token->used_by.empty())
    return refused("the join token was used already, by " + token->used_by);
  if (deciding.now >= token->expires)
    return refused("the join token expired at " + print_moment(token->expires));
  return token->id;
}

// Nothing new goes there; what is there finishes.
void close_pools(Deciding& deciding, std::string_view name) {
  const catalogue::Catalogue& catalogue = deciding.state.catalogue();
  const catalogue::Member* member = catalogue.find_member(name);
  if (member == nullptr || member->kind != catalogue::MemberKind::domain) return;
  for (const auto& [id, pool] : catalogue.pools()) {
    if (pool.member != member->id || pool.state == ServingState::closed) continue;
    Pool closed = pool;
    closed.state = ServingState::closed;
    deciding.emit(catalogue::PoolOffered{closed});
  }
}

}  // namespace

Ruling decide_one(Deciding& deciding, const MakeJoinToken& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_supply));
  if (command.label.size() > text_length_max)
    return refuse(Code::name_invalid, "the label is longer than 200 bytes", "/label");
  if (command.lasts < token_lasts_min || command.lasts > token_lasts_max)
    return refuse(Code::spec_invalid,
                  "a join token lasts 1 minute to 30 days; got " + print_span(command.lasts),
                  "/lasts");
  if (deciding.state.identity().find_join_token(command.secret_hash) != nullptr)
    return refuse(Code::key_exists, "this join token exists already");
  const JoinTokenId id{deciding.state.essence().last.join_token + 1};
  deciding.accept(text_of(id));
  deciding.emit(identity::JoinTokenMade{{.id = id,
                                         .secret_hash = command.secret_hash,
                                         .label = command.label,
                                         .created = deciding.now,
                                         .expires = deciding.now + command.lasts,
                                         .used_by = {}}});
  return {};
}

Ruling decide_one(Deciding& deciding, const AskToJoin& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_supply));
  const State& state = deciding.state;
  if (command.key == Digest{}) return refuse(Code::name_invalid, "a domain has a key", "/key");
  if (const auto* known = state.identity().find_joiner(command.key)) {
    if (known->name == command.name) return nothing_new();
    return refuse(Code::name_taken, "this domain is known here as \"" + known->name + "\"", "/name",
                  known->name);
  }
  SUAN_CHECK(check_name(command.name, "/name"));
  if (command.note.size() > text_length_max)
    return refuse(Code::spec_invalid, "the note is longer than 200 bytes", "/note");
  SUAN_TRY(const JoinTokenId token, usable_token(deciding, command.token));
  if (is_taken(state, command.name))
    return refuse(Code::name_taken,
                  "the name \"" + command.name + "\" is taken here, or is part of one that is",
                  "/name");
  deciding.emit(identity::JoinAsked{{.id = JoinerId{state.essence().last.joiner + 1},
                                     .name = command.name,
                                     .key = command.key,
                                     .note = command.note,
                                     .asked = deciding.now,
                                     .state = JoinState::asked,
                                     .answered = {}},
                                    token});
  return {};
}

Ruling decide_one(Deciding& deciding, const AnswerJoin& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_supply));
  const identity::Identity& identity = deciding.state.identity();
  const identity::Joiner* joiner = identity.find_joiner(command.name);
  if (joiner == nullptr)
    return refuse(Code::joiner_unknown, "no domain \"" + command.name + "\" has asked to join", "",
                  nearest_name(command.name, identity.joiners()));
  deciding.accept(text_of(joiner->id));
  const JoinState answer = command.is_approved ? JoinState::approved : JoinState::refused;
  if (joiner->state == answer) return {};
  deciding.emit(identity::JoinAnswered{joiner->id, answer, deciding.now});
  if (!command.is_approved) close_pools(deciding, joiner->name);
  return {};
}

}  // namespace suan::domain
