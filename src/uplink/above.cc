#include "uplink/above.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "domain/effects.h"
#include "domain/shown.h"
#include "uplink/handshake.h"
#include "wire/bytes.h"

namespace suan::uplink {

using domain::Code;

namespace {

constexpr std::size_t beats_remembered = 720;  // An hour of them.
constexpr std::size_t ancestors_max = 1000;
constexpr int doublings_max = 16;
constexpr std::size_t fingerprint_digits = 16;  // As `suan join list` shows it.

Span since(std::chrono::steady_clock::time_point then) {
  const auto passed = std::chrono::steady_clock::now() - then;
  return {std::chrono::duration_cast<std::chrono::microseconds>(passed).count()};
}

// https://host and http://host, as what carries WebSockets there.
std::string socket_url(const std::string& url) {
  return url.starts_with("https://") ? "wss://" + url.substr(8) : "ws://" + url.substr(7);
}

// Why there is no connection, for people.
std::string reason_of(const net::SocketEnd& end) {
  using Kind = net::SocketEnd::Kind;
  switch (end.kind) {
    case Kind::closed:
      return end.text.empty() ? "the parent closed the connection" : end.text;
    case Kind::refused:
      return "there is no domain at that address: HTTP status " + std::to_string(end.http_status);
    case Kind::silent:
      return "the parent has gone silent";
    case Kind::broken:
      return "the connection broke";
    case Kind::unreachable:
    case Kind::violated:
      return end.text;
  }
  return end.text;
}

}  // namespace

Above::Above(const Ground& ground, net::Dialler& dialler, ParentPlace place, Keeper& keeper)
    : ground_(ground),
      dialler_(dialler),
      place_(std::move(place)),
      keeper_(keeper),
      random_(random_number()) {}

net::DialOptions Above::options(const std::string& path) const {
  return {.url = socket_url(place_.url) + path, .ca_file = place_.ca_file};
}

void Above::dial() {
  ++turn_;
  stage_ = Stage::dialling;
  began_ = ground_.clock.now();
  const auto weak = weak_from_this();
  pipe_ =
      std::make_shared<Pipe>(ground_.worker, Pipe::Listener{.on_open =
                                                                [weak] {
                                                                  if (const auto self = weak.lock())
                                                                    self->on_open();
                                                                },
                                                            .on_frame =
                                                                [weak](Frame&& frame) {
                                                                  if (const auto self = weak.lock())
                                                                    self->hear(std::move(frame));
                                                                },
                                                            .on_end =
                                                                [weak](const net::SocketEnd& end) {
                                                                  if (const auto self = weak.lock())
                                                                    self->on_end(end);
                                                                }});
  pipe_->dial(dialler_, options("/v1/uplink"));
}

void Above::on_end(const net::SocketEnd& end) {
  const bool was_live = std::exchange(stage_, Stage::away) == Stage::live;
  is_collecting_ = is_looking_ = is_offering_ = must_offer_again_ = false;
  collected_.clear();
  said_.clear();
  sent_beats_.clear();
  failures_ = was_live ? 0 : std::min(failures_ + 1, doublings_max);
  note(false, reason_of(end));
  Span pause = ground_.timing.redial_min * (std::int64_t{1} << static_cast<unsigned>(failures_));
  pause = std::min(pause, ground_.timing.redial_max);
  // Not all at once after a parent was away.
  pause = {random_.between(pause.us / 2, pause.us)};
  dialler_.after(
      pause, [self = shared_from_this()] { self->ground_.worker.post([self] { self->dial(); }); });
}

void Above::note(bool is_connected, const std::string& problem) {
  if (std::exchange(problem_, is_connected ? "connected" : problem) != problem_)
    ground_.tell("parent " + place_.url + ": " + problem_);
  if (!parent_) return;
  ground_.presences.set(parent_, {.is_connected = is_connected,
                                  .since = is_connected ? connected_ : ground_.clock.now(),
                                  .heard = heard_at_,
                                  .problem = problem,
                                  .rtt_p50 = rtt_.quantile(50),
                                  .rtt_p99 = rtt_.quantile(99)});
}

void Above::misbehave(std::string_view what) {
  pipe_->close(CloseCode::bad_frame, what);
}

void Above::tick(Moment now) {
  const bool is_shaking = stage_ == Stage::challenged || stage_ == Stage::joining;
  if (is_shaking && now - began_ >= ground_.timing.handshake * 2) pipe_->cut();
}

void Above::on_open() {
  greeting_ = {version_min, ground_.version, make_nonce()};
  stage_ = Stage::challenged;
  pipe_->send(greeting_);
}

void Above::hear(Frame&& frame) {
  if (stage_ == Stage::away) return;
  heard_at_ = ground_.clock.now();
  std::visit(
      [this](auto&& message) {
        using Message = std::remove_cvref_t<decltype(message)>;
        if constexpr (std::is_constructible_v<runtime::Down, Message>) {
          hear(runtime::Down(std::forward<decltype(message)>(message)), {});
        } else if constexpr (is_one_of<Message, Challenge, Pending, Welcome, Ancestry, Commit,
                                       Renewal, Renewals, Echo, OpenStream, AskChild, AnswerChild,
                                       AskData>) {
          hear(std::forward<decltype(message)>(message));
        } else {
          misbehave("only a sub-domain says that");
        }
      },
      std::move(frame));
}

void Above::hear(const Challenge& challenge) {
  if (stage_ != Stage::challenged)
    return misbehave("a challenge comes after the greeting, and once");
  if (challenge.version < version_min || challenge.version > ground_.version)
    return pipe_->close(CloseCode::version, "that version was not offered");
  if (!is_signed(challenge, greeting_))
    return pipe_->close(CloseCode::refused, "the challenge is not signed by the key that it names");
  if (challenge.key == ground_.own_key())
    return pipe_->close(CloseCode::refused, "a domain cannot join itself");
  challenge_ = challenge;
  Hello hello;
  hello.domain = ground_.domain;
  hello.token = place_.token;
  sign(hello, greeting_, challenge_, ground_.key);
  stage_ = Stage::waiting;
  greeted_ = Steady::now();
  pipe_->send(hello);
}

void Above::hear(const Pending&) {
  if (stage_ != Stage::waiting) return misbehave("that comes after the hello");
  failures_ = 0;
  note(false, "waits for the approval of its operator there: suan join approve " + ground_.domain +
                  " (the key of this domain is " +
                  print_digest(ground_.own_key()).substr(0, fingerprint_digits) + ")");
}

// False if this domain would be above itself.
bool Above::take_ancestors(const std::vector<Digest>& ancestors,
                           const std::vector<std::string>& path) {
  if (ancestors.size() > ancestors_max || path.size() > ancestors_max) {
    misbehave("there are too many domains above");
    return false;
  }
  if (std::ranges::find(ancestors, ground_.own_key()) != ancestors.end()) {
    pipe_->close(CloseCode::refused, "that would be a circle: this domain is above its parent");
    return false;
  }
  const bool are_others = ancestors_ != ancestors || path_ != path;
  ancestors_ = ancestors;
  path_ = path;
  if (are_others) keeper_.on_ancestors();
  return true;
}

void Above::hear(const Ancestry& message) {
  if (stage_ != Stage::joining && stage_ != Stage::live) return misbehave("that comes later");
  take_ancestors(message.ancestors, message.path);
}

void Above::hear(const Welcome& welcome) {
  if (stage_ != Stage::waiting) return misbehave("a welcome comes after the hello, and once");
  if (!take_ancestors(welcome.ancestors, welcome.path)) return;
  stage_ = Stage::joining;
  began_ = heard_at_;
  pipe_->hold(true);
  beat();
  ground_.put(domain::JoinParent{challenge_.domain, challenge_.key}, {},
              [self = shared_from_this(), turn = turn_](const runtime::Reply& reply) {
                if (turn == self->turn_) self->on_joined(reply);
              });
}

void Above::on_joined(const runtime::Reply& reply) {
  if (stage_ != Stage::joining) return;
  if (!reply && reply.error().code != Code::known_already)
    return pipe_->close(CloseCode::refused, reply.error().detail);
  is_collecting_ = true;
  const auto self = shared_from_this();
  const bool is_asked = ground_.look(
      [self, turn = turn_, key = challenge_.key](const runtime::View& view) -> Ground::Then {
        const identity::Parent* parent = view.state.identity().find_parent(key);
        const ParentId id = parent != nullptr ? parent->id : ParentId{};
        return [self, turn, id, offer = wire::encode(domain::offer_to_parents(view.state)),
                outstanding = domain::outstanding_for(view.state, id)]() mutable {
          if (turn == self->turn_) self->go_live(id, std::move(offer), outstanding);
        };
      },
      reply ? reply->sequence : 0);
  if (!is_asked) pipe_->close(CloseCode::busy, "too many queries wait");
}

void Above::go_live(ParentId parent, std::string offer, const domain::Effects& outstanding) {
  if (stage_ != Stage::joining) return;
  if (!parent) return pipe_->close(CloseCode::busy, "the read side is behind");
  parent_ = parent;
  stage_ = Stage::live;
  failures_ = 0;
  connected_ = ground_.clock.now();
  note(true, "");
  say_offer(offer);
  for (const domain::Effect& effect : outstanding)
    say(std::get<domain::TellParent>(effect).message);
  is_collecting_ = false;
  for (const domain::TellParent& effect : std::exchange(collected_, {})) tell(effect);
  pipe_->hold(false);
  first_measured_ = beats_ + 1;
  beat();
  look_at_reading();
}

bool Above::ask(ParentId parent, const AskWorkdir& wish) {
  if (stage_ != Stage::live || parent != parent_ || challenge_.version < 2) return false;
  pipe_->send(wish);
  return true;
}

void Above::tell(const domain::TellParent& effect) {
  if (is_collecting_)
    collected_.push_back(effect);
  else if (stage_ == Stage::live && effect.parent == parent_)
    say(effect.message);
}

void Above::say(const runtime::Up& up) {
  std::visit([this](const auto& message) { pipe_->send(message); }, up);
}

void Above::say_offer(const std::string& bytes) {
  std::size_t at = 0;
  do {
    OfferPart part{bytes.substr(at, offer_part_bytes_max), false};
    at += part.bytes.size();
    part.is_last = at == bytes.size();
    pipe_->send(part);
  } while (at < bytes.size());
}

void Above::offer_again() {
  if (stage_ != Stage::live) return;
  if (std::exchange(is_offering_, true)) {
    must_offer_again_ = true;
    return;
  }
  const auto self = shared_from_this();
  const bool is_asked =
      ground_.look([self, turn = turn_](const runtime::View& view) -> Ground::Then {
        return [self, turn, offer = wire::encode(domain::offer_to_parents(view.state))] {
          if (turn != self->turn_ || self->stage_ != Stage::live) return;
          self->is_offering_ = false;
          self->say_offer(offer);
          if (std::exchange(self->must_offer_again_, false)) self->offer_again();
        };
      });
  if (!is_asked) pipe_->close(CloseCode::busy, "too many queries wait");
}

void Above::look_at_reading() {
  if (stage_ != Stage::live || std::exchange(is_looking_, true)) return;
  const auto self = shared_from_this();
  const bool is_asked = ground_.look(
      [self, turn = turn_, parent = parent_](const runtime::View& view) -> Ground::Then {
        return [self, turn, readings = domain::readings_for(view.state, parent),
                ages = domain::reading_ages(view.state, self->ground_.clock.now())] {
          if (turn != self->turn_ || self->stage_ != Stage::live) return;
          self->is_looking_ = false;
          self->say_readings(readings, ages);
        };
      });
  if (!is_asked) is_looking_ = false;
}

void Above::say_readings(const std::map<PoolId, PoolReading>& readings,
                         const std::map<PoolId, Span>& ages) {
  const Moment now = ground_.clock.now();
  for (const auto& [pool, reading] : readings) {
    const auto said = said_.find(pool);
    const bool is_news = said == said_.end() || said->second.reading != reading ||
                         now - said->second.at >= ground_.timing.reading_age;
    if (!is_news) continue;
    said_[pool] = {reading, now};
    const auto age = ages.find(pool);
    pipe_->send(SupplyReading{pool, reading, age != ages.end() ? age->second : Span{}});
  }
}

void Above::beat() {
  if (stage_ != Stage::joining && stage_ != Stage::live) return;
  sent_beats_[++beats_] = Steady::now();
  if (sent_beats_.size() > beats_remembered) sent_beats_.erase(sent_beats_.begin());
  pipe_->send(Heartbeat{beats_, last_rtt_});
}

void Above::hear(const Echo& echo) {
  const auto sent = sent_beats_.find(echo.number);
  if (sent == sent_beats_.end()) return misbehave("no such heartbeat was sent");
  if (echo.number < first_measured_) return;  // It waited for other things than the way.
  last_rtt_ = since(sent->second);
  rtt_.add(last_rtt_);
  if (stage_ == Stage::live) note(true, "");
}

// How much of `run_for` is left: it counts from when the heartbeat left that the parent had heard
// when it said so. What took too long on the way is worth nothing.
Span Above::shortened(Span run_for, std::uint64_t heard) const {
  const auto sent = sent_beats_.find(heard);
  return run_for - since(sent != sent_beats_.end() ? sent->second : greeted_);
}

// One that comes too late is not heard: what is granted for the unit lapses soon, and is told then.
void Above::hear(Commit&& message) {
  if (stage_ != Stage::live) return misbehave("units come after the welcome");
  Span& run_for = message.commit.run_for;
  if (run_for > Span{}) {
    run_for = shortened(run_for, message.heard);
    if (run_for <= Span{}) return;
  }
  std::vector<std::string> payloads;
  if (message.commit.payload) payloads.push_back(std::move(message.payload));
  hear(runtime::Down(message.commit), std::move(payloads));
}

void Above::hear(const Renewal& message) {
  hear_heartbeat({{message.renew}}, message.heard);
}

void Above::hear(Renewals&& message) {
  if (challenge_.version < version_of_heartbeats)
    return misbehave("heartbeats for many units are of a later version");
  hear_heartbeat(std::move(message.renewals), message.heard);
}

void Above::hear_heartbeat(RenewUnits&& heartbeat, std::uint64_t heard) {
  std::vector<RenewUnit>& units = heartbeat.units;
  if (units.size() > renewals_max) return misbehave("more units than one heartbeat may renew");
  std::erase_if(units, [&](RenewUnit& each) {
    if (each.run_for <= Span{}) return false;
    each.run_for = shortened(each.run_for, heard);
    return each.run_for <= Span{};
  });
  if (!units.empty()) hear(runtime::Down(std::move(heartbeat)), {});
}

bool Above::ask(const AskParent& question) {
  if (stage_ != Stage::live || challenge_.version < 2) return false;
  pipe_->send(question);
  return true;
}

bool Above::answer(const AnswerParent& answer) {
  if (stage_ != Stage::live) return false;
  pipe_->send(answer);
  return true;
}

bool Above::answer(const AnswerData& answer) {
  if (stage_ != Stage::live) return false;
  pipe_->send(answer);
  return true;
}

void Above::hear(const AskData& question) {
  if (stage_ != Stage::live) return misbehave("questions come after the welcome");
  keeper_.on_question(shared_from_this(), question);
}

void Above::hear(const AskChild& question) {
  if (stage_ != Stage::live) return misbehave("questions come after the welcome");
  keeper_.on_question(shared_from_this(), question);
}

void Above::hear(const AnswerChild& message) {
  if (stage_ != Stage::live) return misbehave("answers come after the welcome");
  keeper_.on_answer(this, message.number, message.answer);
}

void Above::hear(const OpenStream& message) {
  const bool is_id = message.id.size() == 32 &&
                     message.id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (stage_ != Stage::live || !is_id) return misbehave("that is no stream");
  keeper_.on_stream(parent_, message, options("/v1/uplink/streams/" + message.id));
}

void Above::hear(const runtime::Down& down, std::vector<std::string> payloads) {
  if (stage_ != Stage::live) return misbehave("units come after the welcome");
  ground_.put(runtime::to_command(parent_, down), std::move(payloads),
              [self = shared_from_this(), down, turn = turn_](const runtime::Reply& reply) {
                const auto answer = runtime::answer_to(down, reply);
                if (answer && turn == self->turn_ && self->stage_ == Stage::live)
                  self->say(*answer);
              });
}

}  // namespace suan::uplink
