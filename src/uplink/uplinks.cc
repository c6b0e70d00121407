#include "uplink/uplinks.h"

#include <algorithm>
#include <utility>

#include "domain/effects.h"
#include "domain/shown.h"
#include "uplink/exec_session.h"

namespace suan::uplink {

namespace {

constexpr std::size_t connections_max = 4096;
constexpr Span tick_every = seconds(1);
constexpr Span supply_settles = milliseconds(100);  // Changes within it are said together.
constexpr Span stop_grace = seconds(1);

}  // namespace

/// Sees what others must be told of that no effect says.
class Uplinks::Watch final : public runtime::Watcher {
 public:
  explicit Watch(Uplinks& uplinks) : uplinks_(uplinks) {}

  void on_record(const runtime::DurableRecord& record, const runtime::View&) override {
    bool has_supply = false;
    bool has_answers = false;
    for (const domain::Event& event : record.events) {
      has_supply = has_supply || std::holds_alternative<catalogue::PoolOffered>(event) ||
                   std::holds_alternative<catalogue::SiteDescribed>(event);
      has_answers = has_answers || std::holds_alternative<identity::JoinAnswered>(event);
    }
    if (has_supply) uplinks_.note_supply();
    if (has_answers) uplinks_.note_answers();
  }

 private:
  Uplinks& uplinks_;
};

Result<std::unique_ptr<Uplinks>> Uplinks::make(UplinkParts parts) {
  SUAN_TRY(auto dialler, net::Dialler::start());
  return std::unique_ptr<Uplinks>(new Uplinks(std::move(parts), std::move(dialler)));
}

Uplinks::Uplinks(UplinkParts parts, std::unique_ptr<net::Dialler> dialler)
    : dialler_(std::move(dialler)),
      ground_{.worker = worker_,
              .core = parts.core,
              .follower = parts.follower,
              .clock = parts.clock,
              .journal = parts.journal,
              .key = parts.key,
              .presences = parts.presences,
              .domain = std::move(parts.domain),
              .timing = parts.timing,
              .tell = parts.tell,
              .version = parts.version},
      uploads_(parts.uploads),
      pump_(*dialler_),
      fetches_(worker_, parts.uploads) {
  for (ParentPlace& place : parts.parents) {
    above_.push_back(std::make_shared<Above>(ground_, *dialler_, std::move(place),
                                             static_cast<Above::Keeper&>(*this)));
  }
}

Uplinks::~Uplinks() {
  stop();
}

void Uplinks::start(member::Reach& reach) {
  reach_ = &reach;
  note_absence();
  worker_.post([this] {
    for (const auto& each : above_) each->dial();
  });
  dialler_->every(tick_every, [this] { worker_.post([this] { tick(); }); });
  if (above_.empty()) return;
  dialler_->every(ground_.timing.heartbeat, [this] {
    worker_.post([this] {
      for (const auto& each : above_) each->beat();
    });
  });
  dialler_->every(ground_.timing.reading_look, [this] {
    worker_.post([this] {
      for (const auto& each : above_) each->look_at_reading();
    });
  });
}

// Whoever has not come back since this process began takes nothing new.
void Uplinks::note_absence() {
  ground_.look([this](const runtime::View& view) -> Ground::Then {
    std::map<MemberId, std::vector<PoolSeen>> pools;
    for (const auto& [id, pool] : view.state.catalogue().pools()) {
      if (pool.remote) pools[pool.member].push_back({id, pool.nodes});
    }
    return [this, pools = std::move(pools), now = ground_.clock.steady()] {
      for (const auto& [member, all] : pools) {
        {
          const std::lock_guard lock(mutex_);
          if (live_.contains(member)) continue;
        }
        away_.try_emplace(member, now);
        for (const PoolSeen& each : all)
          ground_.core.put_reading(each.id, reading_of_nothing(each.nodes));
      }
    };
  });
}

// One unit after another, for as long as there are some that it has been away too long for.
void Uplinks::miss(MemberId member, Moment since) {
  ground_.put(domain::NoteAbsence{member, ground_.clock.steady() - since}, {},
              [this, member, since](const runtime::Reply& reply) {
                const auto away = away_.find(member);
                if (reply && away != away_.end() && away->second == since) miss(member, since);
              });
}

void Uplinks::stop() {
  if (std::exchange(is_stopped_, true)) return;
  dialler_->stop(stop_grace);
  pump_.stop();
  worker_.stop();
  const std::lock_guard lock(mutex_);
  live_.clear();
  below_.clear();
  above_.clear();
}

std::unique_ptr<runtime::Watcher> Uplinks::watcher() {
  return std::make_unique<Watch>(*this);
}

void Uplinks::put(const domain::Effect& effect) {
  worker_.post([this, effect] {
    if (const auto* down = std::get_if<domain::TellMember>(&effect)) {
      for (const auto& each : below_) each->tell(*down);
    } else if (const auto* up = std::get_if<domain::TellParent>(&effect)) {
      for (const auto& each : above_) each->tell(*up);
    }
  });
}

void Uplinks::accept(const net::Request& request, net::Responder responder) {
  auto below = std::make_shared<Below>(ground_, static_cast<Below::Keeper&>(*this));
  below->prepare();
  worker_.post([this, below] {
    below->start(ground_.clock.now(), below_.size() < connections_max);
    below_.insert(below);
  });
  below->accept(request, std::move(responder));
}

void Uplinks::accept_stream(const std::string& id, const net::Request& request,
                            net::Responder responder) {
  awaited_.accept(id, request, std::move(responder));
}

std::unique_ptr<member::LogReader> Uplinks::read_log(const member::AttemptPlace& place,
                                                     member::LogStream stream,
                                                     std::uint64_t offset) {
  return read_remote_log(*this, awaited_, place, stream, offset);
}

Result<std::unique_ptr<member::Exec>> Uplinks::exec(const member::AttemptPlace& place,
                                                    const member::ExecWish& wish,
                                                    member::ExecSink& sink) {
  return run_remote_command(*this, awaited_, place, wish, sink);
}

Result<void> Uplinks::ask(MemberId member, OpenStream open) {
  std::shared_ptr<Below> below;
  {
    const std::lock_guard lock(mutex_);
    const auto at = live_.find(member);
    if (at != live_.end()) below = at->second;
  }
  if (!below)
    return failure(Failure::Kind::unavailable,
                   "the member that runs this cannot be reached now; `suan join list` says why");
  worker_.post([below, open = std::move(open)] { below->ask(open); });
  return {};
}

void Uplinks::on_live(const std::shared_ptr<Below>& below) {
  std::shared_ptr<Below> older;
  {
    const std::lock_guard lock(mutex_);
    older = std::exchange(live_[below->member()], below);
  }
  away_.erase(below->member());
  if (!older || older == below) return;
  below_.erase(older);
  older->end(CloseCode::replaced, "this domain has connected again");
}

bool Uplinks::on_over(const std::shared_ptr<Below>& below) {
  below_.erase(below);
  const std::lock_guard lock(mutex_);
  const auto at = live_.find(below->member());
  if (at == live_.end() || at->second != below) return false;
  live_.erase(at);
  away_[below->member()] = ground_.clock.steady();
  return true;
}

std::vector<Digest> Uplinks::ancestors() const {
  std::set<Digest> all{ground_.own_key()};
  for (const auto& each : above_) all.insert(each->ancestors().begin(), each->ancestors().end());
  return {all.begin(), all.end()};
}

void Uplinks::on_ancestors() {
  for (const auto& each : below_) each->say_ancestors();
}

void Uplinks::on_stream(ParentId parent, const OpenStream& open, net::DialOptions options) {
  if (open.kind == StreamKind::workdir) {
    if (!fetches_.take(parent, open, *dialler_, options))
      decline_stream(*dialler_, std::move(options), "nobody waits for it");
    return;
  }
  auto held = std::make_shared<net::DialOptions>(std::move(options));
  const bool is_asked = ground_.look([this, parent, open,
                                      held](const runtime::View& view) -> Ground::Then {
    const jobs::Job* guest = view.state.jobs().find_guest({parent, open.unit});
    const bool is_there = guest != nullptr && guest->guest->is_committed &&
                          open.index < guest->units.front().tasks.size();
    if (!is_there)
      return [this, held] {
        decline_stream(*dialler_, std::move(*held), "that is no longer kept here, or never was");
      };
    const jobs::Unit& unit = guest->units.front();
    const member::AttemptPlace place{view.state.catalogue().pools().at(unit.placement.pool).member,
                                     {guest->id, open.index, unit.attempt},
                                     0,
                                     open.index};
    return [this, held, place, open] {
      if (open.kind == StreamKind::log)
        pump_.open(reach_->read_log(place, open.stream, open.offset), std::move(*held));
      else
        std::make_shared<ExecSession>(*reach_, place)->open(*dialler_, std::move(*held));
    };
  });
  if (!is_asked) decline_stream(*dialler_, std::move(*held), "too many queries wait there");
}

void Uplinks::tick() {
  const Moment now = ground_.clock.now();
  const auto all = below_;  // One that ends leaves.
  for (const auto& each : all) each->tick(now);
  for (const auto& each : above_) each->tick(now);
  for (const auto& [member, since] : away_) miss(member, since);
  awaited_.expire();
  names_.tick(Names::Steady::now());
  data_questions_.tick(Names::Steady::now());
  ask_for_workdirs();
  constexpr int looks_every = 600;
  if (++ticks_ % looks_every == 0) look_at_uploads();
}

// On the follower's thread, as is the next.
void Uplinks::note_supply() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_supply_noted_, true)) return;
  }
  dialler_->after(supply_settles, [this] {
    {
      const std::lock_guard lock(mutex_);
      is_supply_noted_ = false;
    }
    worker_.post([this] {
      for (const auto& each : above_) each->offer_again();
    });
  });
}

void Uplinks::note_answers() {
  worker_.post([this] {
    const auto all = below_;
    for (const auto& each : all) each->look_again();
  });
}

}  // namespace suan::uplink
