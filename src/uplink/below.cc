#include "uplink/below.h"

#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

#include "domain/effects.h"
#include "uplink/handshake.h"
#include "wire/bytes.h"
#include "wire/hash.h"

namespace suan::uplink {

using domain::Code;

namespace {

constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t links_max = 256;  // Of one connection.
constexpr std::size_t note_bytes_max = 200;
constexpr std::size_t token_bytes_max = 200;

/// What an operator has said of whoever holds a key.
struct Standing {
  bool is_known = false;
  identity::JoinState state = identity::JoinState::asked;
  bool has_units = false;  // Here that it still has to end.
};

bool has_units_of(const domain::State& state, std::string_view name) {
  const catalogue::Member* member = state.catalogue().find_member(name);
  return member != nullptr && !domain::outstanding_for(state, member->id).empty();
}

Standing standing_of(const domain::State& state, const Digest& key) {
  const identity::Joiner* joiner = state.identity().find_joiner(key);
  if (joiner == nullptr) return {};
  return {true, joiner->state, has_units_of(state, joiner->name)};
}

}  // namespace

void Below::prepare() {
  pipe_ = std::make_shared<Pipe>(
      ground_.worker, Pipe::Listener{.on_frame =
                                         [weak = weak_from_this()](Frame&& frame) {
                                           if (const auto self = weak.lock())
                                             self->hear(std::move(frame));
                                         },
                                     .on_end =
                                         [weak = weak_from_this()](const net::SocketEnd& end) {
                                           if (const auto self = weak.lock()) self->on_end(end);
                                         }});
}

void Below::accept(const net::Request& request, net::Responder responder) {
  pipe_->accept(request, std::move(responder));
}

void Below::start(Moment now, bool is_wanted) {
  began_ = now;
  is_wanted_ = is_wanted;
}

void Below::tick(Moment now) {
  if (is_taken() || now - began_ < ground_.timing.handshake) return;
  end(CloseCode::late, "the handshake took too long");
}

void Below::end(CloseCode code, std::string_view reason) {
  pipe_->close(code, reason);
}

void Below::misbehave(std::string_view what) {
  end(CloseCode::bad_frame, what);
}

void Below::on_end(const net::SocketEnd& end) {
  if (std::exchange(stage_, Stage::over) == Stage::over) return;
  if (!keeper_.on_over(shared_from_this())) return;
  for (const auto& [remote, pool] : sight_.pools)
    ground_.core.put_reading(pool.id, reading_of_nothing(pool.nodes));
  note_presence(false, end.text.empty() ? "the connection ended" : end.text);
}

void Below::note_presence(bool is_connected, const std::string& problem) {
  ground_.presences.set(sight_.member, {.is_connected = is_connected,
                                        .since = is_connected ? connected_ : ground_.clock.now(),
                                        .heard = heard_at_,
                                        .problem = problem,
                                        .rtt_p50 = rtt_.quantile(50),
                                        .rtt_p99 = rtt_.quantile(99)});
}

void Below::hear(Frame&& frame) {
  if (stage_ == Stage::over) return;
  std::visit(
      [this](auto&& message) {
        using Message = std::remove_cvref_t<decltype(message)>;
        if constexpr (std::is_constructible_v<runtime::Up, Message>) {
          hear(runtime::Up(std::forward<decltype(message)>(message)));
        } else if constexpr (is_one_of<Message, Greeting, Hello, OfferPart, Heartbeat,
                                       SupplyReading, AskWorkdir, AskParent, AnswerParent,
                                       AnswerData>) {
          hear(std::forward<decltype(message)>(message));
        } else {
          misbehave("only a parent says that");
        }
      },
      std::move(frame));
}

void Below::hear(const Greeting& greeting) {
  if (stage_ != Stage::greeting) return misbehave("a greeting comes first, and once");
  if (!is_wanted_) return end(CloseCode::busy, "too many sub-domains are connected; try again");
  const auto version = common_version(greeting);
  if (!version) {
    return end(CloseCode::version,
               "versions " + std::to_string(version_min) + " to " + std::to_string(version_max) +
                   " of the uplink are spoken here, there " + std::to_string(greeting.version_min) +
                   " to " + std::to_string(greeting.version_max));
  }
  greeting_ = greeting;
  challenge_.version = *version;
  challenge_.domain = ground_.domain;
  challenge_.nonce = make_nonce();
  sign(challenge_, greeting_, ground_.key);
  stage_ = Stage::hello;
  pipe_->send(challenge_);
}

void Below::hear(const Hello& hello) {
  if (stage_ != Stage::hello) return misbehave("a hello comes after the challenge, and once");
  const bool is_sane = !hello.domain.empty() && hello.domain.size() <= name_bytes_max &&
                       hello.note.size() <= note_bytes_max && hello.token.size() <= token_bytes_max;
  if (!is_sane) return misbehave("a name, a note or a token is too long");
  if (!is_signed(hello, greeting_, challenge_))
    return end(CloseCode::not_invited, "the hello is not signed by the key that it names");
  if (hello.key == ground_.own_key()) return end(CloseCode::refused, "a domain cannot join itself");
  name_ = hello.domain;
  key_ = hello.key;
  stage_ = Stage::asking;
  pipe_->hold(true);
  const Digest token = hello.token.empty() ? Digest{} : wire::hash(hello.token);
  ground_.put(domain::AskToJoin{token, hello.domain, hello.key, hello.note}, {},
              [self = shared_from_this()](const runtime::Reply& reply) { self->on_asked(reply); });
}

void Below::on_asked(const runtime::Reply& reply) {
  if (stage_ != Stage::asking) return;
  if (!reply && reply.error().code != Code::known_already)
    return end(CloseCode::not_invited, reply.error().detail);
  look_at_standing(reply ? reply->sequence : 0);
}

void Below::look_again() {
  if (stage_ == Stage::pending || stage_ == Stage::live) look_at_standing(0);
}

void Below::look_at_standing(std::uint64_t sequence) {
  const auto self = shared_from_this();
  const bool is_asked = ground_.look(
      [self, key = key_](const runtime::View& view) -> Ground::Then {
        return [self, standing = standing_of(view.state, key)] {
          const bool is_asking = self->stage_ == Stage::asking || self->stage_ == Stage::pending;
          const bool is_wanted =
              standing.is_known && standing.state != identity::JoinState::refused;
          if (!is_wanted && !standing.has_units)
            return self->end(CloseCode::refused, "the operator has refused this domain");
          if (!is_asking) return;
          self->pipe_->hold(false);
          if (standing.state == identity::JoinState::asked) {
            if (std::exchange(self->stage_, Stage::pending) != Stage::pending)
              self->pipe_->send(Pending{});
            return;
          }
          self->stage_ = Stage::offering;
          self->pipe_->send(Welcome{self->keeper_.ancestors(), self->keeper_.path()});
        };
      },
      sequence);
  if (!is_asked) end(CloseCode::busy, "too many queries wait here; try again");
}

void Below::say_ancestors() {
  if (stage_ == Stage::offering || stage_ == Stage::live)
    pipe_->send(Ancestry{keeper_.ancestors(), keeper_.path()});
}

// What it offers. Everything that it says after that rests on it, so it waits meanwhile.
void Below::hear(OfferPart&& part) {
  if (stage_ != Stage::offering && stage_ != Stage::live)
    return misbehave("an offer comes after the welcome");
  if (part.bytes.size() > offer_part_bytes_max ||
      offer_.size() + part.bytes.size() > offer_bytes_max)
    return misbehave("an offer has at most 64 MiB");
  offer_ += part.bytes;
  if (!part.is_last) return;
  auto offer = wire::decode<SupplyOffer>(std::exchange(offer_, {}));
  if (!offer) return misbehave("the offer cannot be read: " + offer.error().text);
  pipe_->hold(true);
  ground_.put(
      domain::OfferSupply{name_, std::move(*offer)}, {},
      [self = shared_from_this()](const runtime::Reply& reply) { self->on_offered(reply); });
}

void Below::on_offered(const runtime::Reply& reply) {
  if (stage_ != Stage::offering && stage_ != Stage::live) return;
  if (!reply && reply.error().code != Code::known_already)
    return misbehave("the offer is refused: " + reply.error().detail);
  const bool is_first = stage_ == Stage::offering;
  is_collecting_ = is_first;
  const auto self = shared_from_this();
  const bool is_asked = ground_.look(
      [self, name = name_, is_first](const runtime::View& view) -> Ground::Then {
        Sight sight = look_at(view.state, name);
        if (!sight.member)
          return [self] { self->end(CloseCode::busy, "the read side is behind; try again"); };
        domain::Effects outstanding;
        if (is_first) outstanding = domain::outstanding_for(view.state, sight.member);
        return [self, sight = std::move(sight), outstanding = std::move(outstanding)]() mutable {
          self->go_live(std::move(sight), outstanding);
        };
      },
      reply ? reply->sequence : 0);
  if (!is_asked) end(CloseCode::busy, "too many queries wait here; try again");
}

Below::Sight Below::look_at(const domain::State& state, const std::string& name) {
  Sight sight;
  const catalogue::Member* member = state.catalogue().find_member(name);
  if (member == nullptr) return sight;
  sight.member = member->id;
  std::set<SiteId> here;
  for (const auto& [id, pool] : state.catalogue().pools()) {
    if (pool.member == member->id) sight.pools.emplace(pool.remote, PoolSeen{id, pool.nodes});
    if (!pool.remote) here.insert(pool.site);
  }
  sight.sites_here.assign(here.begin(), here.end());
  for (const auto& [id, site] : state.catalogue().sites()) {
    const std::string_view of_it = site.name;
    if (of_it.starts_with(name + ".") && of_it.find('.', name.size() + 1) == of_it.npos)
      sight.sites.push_back(id);
  }
  return sight;
}

void Below::go_live(Sight sight, const domain::Effects& outstanding) {
  if (stage_ != Stage::offering && stage_ != Stage::live) return;
  sight_ = std::move(sight);
  if (std::exchange(stage_, Stage::live) == Stage::offering) {
    connected_ = ground_.clock.now();
    heard_at_ = connected_;
    keeper_.on_live(shared_from_this());
    note_presence(true, "");
    for (const domain::Effect& effect : outstanding)
      say(std::get<domain::TellMember>(effect).message);
    is_collecting_ = false;
    for (const domain::TellMember& effect : std::exchange(collected_, {})) tell(effect);
  }
  pipe_->hold(false);
}

void Below::tell(const domain::TellMember& effect) {
  if (is_collecting_)
    collected_.push_back(effect);
  else if (stage_ == Stage::live && effect.member == sight_.member)
    say_in_time(effect);
}

// What came too late to be of any use is not said: a unit that is not committed lapses there.
void Below::say_in_time(const domain::TellMember& effect) {
  const Moment now = ground_.clock.steady();
  if (const auto* commit = std::get_if<CommitUnit>(&effect.message)) {
    CommitUnit rest = *commit;
    if (domain::count_down(rest.run_for, effect.decided, now)) say(rest);
  } else if (const auto* renewals = std::get_if<RenewUnits>(&effect.message)) {
    RenewUnits rest = *renewals;
    if (domain::count_down(rest, effect.decided, now)) say(std::move(rest));
  } else {
    say(effect.message);
  }
}

void Below::ask(const OpenStream& open) {
  pipe_->send(open);
}

void Below::say(const runtime::Down& down) {
  std::visit(
      [this](const auto& message) {
        using Message = std::remove_cvref_t<decltype(message)>;
        if constexpr (std::is_same_v<Message, CommitUnit>)
          say_commit(message);
        else if constexpr (std::is_same_v<Message, RenewUnits>)
          say_heartbeat(message);
        else if constexpr (std::is_same_v<Message, ConfirmUnit>)
          say_keep(message);
        else
          pipe_->send(message);
      },
      down);
}

// One that speaks an older version hears of each unit by itself.
void Below::say_heartbeat(const RenewUnits& renewals) {
  if (challenge_.version >= version_of_heartbeats) return pipe_->send(Renewals{renewals, heard_});
  for (const RenewUnit& each : renewals.units) pipe_->send(Renewal{each, heard_});
}

// One that speaks an older version has refused it.
void Below::say_keep(const ConfirmUnit& keep) {
  constexpr std::uint32_t version_that_keeps = 3;
  if (challenge_.version >= version_that_keeps) return pipe_->send(keep);
  const UnitRefused refused{keep.unit, "the program there is too old to hold a part of a gang"};
  ground_.put(runtime::to_command(sight_.member, runtime::Up(refused)), {}, {});
}

// A unit whose payload cannot be read is as good as refused by whoever was to run it.
void Below::say_commit(const CommitUnit& commit) {
  std::string payload;
  if (commit.payload) {
    auto bytes = ground_.journal.read_blob(commit.payload.value);
    if (!bytes || bytes->size() + 4096 > frame_bytes_max) {
      const UnitRefused refused{commit.unit,
                                bytes ? "its script and files are larger than 4 MiB"
                                      : "its script cannot be read: " + bytes.error().text};
      return ground_.put(runtime::to_command(sight_.member, runtime::Up(refused)), {}, {});
    }
    payload = std::move(*bytes);
  }
  pipe_->send(Commit{commit, std::move(payload), heard_});
}

void Below::hear(const Heartbeat& heartbeat) {
  if (stage_ != Stage::offering && stage_ != Stage::live)
    return misbehave("heartbeats come after the welcome");
  heard_ = heartbeat.number;
  heard_at_ = ground_.clock.now();
  rtt_.add(heartbeat.rtt);
  pipe_->send(Echo{heartbeat.number});
  if (stage_ != Stage::live) return;
  note_presence(true, "");
  note_links();
}

// What the uplink takes is what lies between the sites at its ends.
void Below::note_links() {
  const Rtt measured{rtt_.quantile(50), rtt_.quantile(99), heard_at_};
  if (measured.p50 == Span{} || sight_.sites_here.size() * sight_.sites.size() > links_max) return;
  for (const SiteId here : sight_.sites_here) {
    for (const SiteId there : sight_.sites) ground_.core.put_link(here, there, measured);
  }
}

void Below::hear(const SupplyReading& message) {
  if (stage_ != Stage::live) return misbehave("a reading comes after the offer");
  const auto pool = sight_.pools.find(message.pool);
  if (pool != sight_.pools.end())
    ground_.core.put_reading(pool->second.id, message.reading, message.age);
}

void Below::hear(const AskWorkdir& wish) {
  if (stage_ != Stage::live) return misbehave("units come after the offer");
  keeper_.on_asked(sight_.member, wish);
}

bool Below::ask(const AskChild& question) {
  if (stage_ != Stage::live || challenge_.version < 2) return false;
  pipe_->send(question);
  return true;
}

bool Below::ask(const AskData& question) {
  if (stage_ != Stage::live || challenge_.version < 3) return false;
  pipe_->send(question);
  return true;
}

bool Below::answer(const AnswerChild& answer) {
  if (stage_ != Stage::live) return false;
  pipe_->send(answer);
  return true;
}

void Below::hear(const AskParent& question) {
  if (stage_ != Stage::live) return misbehave("questions come after the offer");
  keeper_.on_question(shared_from_this(), question);
}

void Below::hear(const AnswerParent& message) {
  if (stage_ != Stage::live) return misbehave("answers come after the offer");
  keeper_.on_answer(this, message.number, message.answer);
}

void Below::hear(const AnswerData& message) {
  if (stage_ != Stage::live) return misbehave("answers come after the offer");
  keeper_.on_answer(this, message);
}

void Below::hear(const runtime::Up& up) {
  if (stage_ != Stage::live) return misbehave("units come after the offer");
  ground_.put(runtime::to_command(sight_.member, up), {},
              [self = shared_from_this(), up](const runtime::Reply& reply) {
                const auto answer = runtime::answer_to(up, reply);
                if (answer && self->stage_ == Stage::live) self->say(*answer);
              });
}

}  // namespace suan::uplink
