// All that can happen between a home and two members, up to some size: every order of messages,
// cuts, restarts and passing time, over the real decide and apply. The job is to be replaced where
// it is cut off; the near member's connection is cut, the far one is where it goes then.
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_set>

#include <gtest/gtest.h>

#include "base/callback.h"
#include "base/text.h"
#include "domain/effects.h"
#include "domain/shown.h"
#include "domain/terms.h"
#include "runtime/contract.h"
#include "testing/small_domain.h"
#include "wire/bytes.h"

namespace suan::runtime {
namespace {

using jobs::Phase;

constexpr Moment birth{4'102'444'800'000'000};
// Time passes by either: the first is long enough for what waits to be tried again, the second for
// what is cut off to be given up.
constexpr Span steps[] = {seconds(11), seconds(41)};
constexpr Span lost_after = seconds(30);

/// How much may happen.
struct Bounds {
  int steps = 3;
  int cuts = 1;          // A restart of the home is one, too.
  int restarts = 0;      // Of the near member.
  bool is_gang = false;  // Of two, of which one is with each member.
};

/// Work on a member's machine, as the machine knows it.
struct Work {
  AttemptState state = AttemptState::none;
  Moment lapses;  // 0 = never.
  Moment started;
  Progress end;

  static void fields(auto&& visit, auto& self) {
    visit(1, "state", self.state);
    visit(2, "lapses", self.lapses);
    visit(3, "started", self.started);
    visit(4, "end", self.end);
  }
};

/// Said by the home; what it grants counts from then.
struct Saying {
  Down message;
  Moment said;
};

/// A member, its machine, and its connection to the home.
struct Side {
  domain::State state;
  std::map<AttemptKey, Work> machine;
  std::deque<domain::Effect> to_machine;
  std::deque<Saying> downs;
  std::deque<Up> ups;
  bool is_up = true;
  Moment away_since;
};

/// Everything there is. A copy is a fork.
struct Everything {
  Moment now = birth;
  domain::State home;
  Side sides[2];
  Bounds left;
};

class Explorer {
 public:
  explicit Explorer(const Bounds& bounds);

  /// Looks at everything that can be reached, up to the first promise that does not hold.
  void explore();

  std::string broken;         // What does not hold; "" if all does.
  std::size_t states = 0;     // That differ.
  std::size_t replaced = 0;   // In which a second attempt runs.
  std::size_t told_late = 0;  // At rest, with both attempts charged.
  std::size_t whole = 0;      // In which both parts of a gang run.

 private:
  using Act = Callback<void(Everything&)>;

  void put_home(Everything&, const domain::Command&, const Up* up = nullptr, std::size_t from = 0);
  void put_side(Everything&, std::size_t, const domain::Command&, const Down* down = nullptr);
  void apply_home(Everything&, const domain::Events&);
  void apply_side(Everything&, std::size_t, const domain::Events&);
  void settle_home(Everything&);
  void settle_side(Everything&, std::size_t);
  void say(Everything&, std::size_t, const Down&);
  void deliver_down(Everything&, std::size_t);
  void deliver_up(Everything&, std::size_t);
  void perform(Everything&, std::size_t);
  void launch(Everything&, std::size_t, const domain::AskLaunch&);
  void stop(Everything&, std::size_t, const StopAttempt&);
  void begin(Everything&, std::size_t, const AttemptKey&);
  void end(Everything&, std::size_t, const AttemptKey&, AttemptEnd, Moment at);
  void report(Everything&, std::size_t, const AttemptKey&);
  void cut(Everything&);
  void connect(Everything&);
  void restart_member(Everything&);
  void pass(Everything&, Span);
  void serve_far(Everything&);
  void try_all(const Everything&);
  void try_one(const Everything&, Act);
  void reach(Everything&&);
  void check(const Everything&);
  void check_rest(const Everything&);

  std::vector<Everything> open_;
  std::unordered_set<std::string> seen_;
};

constexpr const char* names[] = {"near", "far"};
constexpr Money prices[] = {yuan(1), yuan(2)};  // Of a core for an hour: the near one comes first.

const jobs::Job& job_of(const Everything& all) {
  return *all.home.jobs().find(JobId{1});
}

MemberId member_of(const Everything& all, std::size_t i) {
  return all.home.catalogue().find_member(names[i])->id;
}

ParentId parent_of(const Side& side) {
  return side.state.identity().find_parent("home")->id;
}

bool is_live(const Work& work) {
  return work.state == AttemptState::staging || work.state == AttemptState::running;
}

// What tells two states apart, but for the numbers of records and leases.
std::string key_of(const Everything& all) {
  wire::Writer out;
  const auto add_jobs = [&](const domain::State& state) {
    for (const auto& [id, job] : state.jobs().all()) {
      jobs::Job copy = job;
      copy.spec = nullptr;
      copy.sequence = 0;
      for (jobs::Unit& unit : copy.units) {
        for (jobs::Task& task : unit.tasks) task.lease = LeaseId{task.lease ? 1U : 0U};
      }
      out.bytes(wire::encode(copy));
    }
    for (const auto& [id, hold] : state.ledger().holds()) out.bytes(wire::encode(hold));
  };
  const auto add = [&](std::int64_t number) {
    out.bytes(std::string_view(reinterpret_cast<const char*>(&number), sizeof(number)));
  };
  add(all.now.us);
  for (const int left : {all.left.steps, all.left.cuts, all.left.restarts}) add(left);
  add_jobs(all.home);
  for (const Side& side : all.sides) {
    add_jobs(side.state);
    add(side.is_up ? 0 : side.away_since.us);
    for (const auto& [key, work] : side.machine) {
      out.bytes(wire::encode(key));
      out.bytes(wire::encode(work));
    }
    add(static_cast<std::int64_t>(side.to_machine.size()));
    for (const domain::Effect& effect : side.to_machine) {
      add(static_cast<std::int64_t>(effect.index()));
      if (const auto* ask = std::get_if<domain::AskLaunch>(&effect)) {
        add(ask->decided.us);
        add(ask->launch.is_late ? 1 : 0);
      } else if (const auto* renewal = std::get_if<domain::AskRenew>(&effect)) {
        add(renewal->decided.us);
      }
    }
    for (const Saying& saying : side.downs) {
      add(static_cast<std::int64_t>(saying.message.index()));
      add(saying.said.us);
      std::visit([&](const auto& message) { out.bytes(wire::encode(message)); }, saying.message);
    }
    for (const Up& up : side.ups) {
      add(static_cast<std::int64_t>(up.index()));
      std::visit([&](const auto& message) { out.bytes(wire::encode(message)); }, up);
    }
  }
  const Digest digest = wire::hash(out.written());
  return std::string(digest.bytes.begin(), digest.bytes.end());
}

void Explorer::apply_home(Everything& all, const domain::Events& events) {
  all.home.apply(events, all.now);
  domain::Effects effects;
  domain::add_effects(all.home, events, effects);
  for (const domain::Effect& effect : effects) {
    const auto* tell = std::get_if<domain::TellMember>(&effect);
    if (tell == nullptr) continue;
    for (std::size_t i = 0; i < 2; ++i)
      if (member_of(all, i) == tell->member) say(all, i, tell->message);
  }
}

void Explorer::settle_home(Everything& all) {
  while (true) {
    const auto timer = all.home.first_timer();
    const bool is_due = timer && timer->at <= all.now;
    const auto command =
        is_due ? domain::Command(domain::Tick{}) : domain::Command(domain::PlaceWaiting{});
    const auto decided = domain::decide(all.home, command, link_caller(), all.now);
    if (decided) apply_home(all, *decided);
    if (!decided && !is_due) return;
  }
}

void Explorer::put_home(Everything& all, const domain::Command& command, const Up* up,
                        std::size_t from) {
  const auto decided = domain::decide(all.home, command, link_caller(), all.now);
  if (decided) apply_home(all, *decided);
  if (up != nullptr) {
    const Reply reply = decided ? Reply(domain::Answer{}) : Reply(std::unexpected(decided.error()));
    if (const auto answer = answer_to(*up, reply)) say(all, from, *answer);
  }
  settle_home(all);
}

void Explorer::apply_side(Everything& all, std::size_t i, const domain::Events& events) {
  Side& side = all.sides[i];
  side.state.apply(events, all.now);
  domain::Effects effects;
  domain::add_effects(side.state, events, effects);
  for (domain::Effect& effect : effects) {
    if (const auto* reserve = std::get_if<domain::AskReserve>(&effect)) {
      put_side(all, i, domain::Reserve{reserve->unit, reserve->attempt});
    } else if (const auto* up = std::get_if<domain::TellParent>(&effect)) {
      if (side.is_up) side.ups.push_back(up->message);
    } else {
      domain::stamp(effect, all.now);
      side.to_machine.push_back(effect);
    }
  }
}

void Explorer::settle_side(Everything& all, std::size_t i) {
  while (true) {
    const auto timer = all.sides[i].state.first_timer();
    if (!timer || timer->at > all.now) return;
    const auto decided = domain::decide(all.sides[i].state, domain::Tick{}, link_caller(), all.now);
    apply_side(all, i, *decided);
  }
}

void Explorer::put_side(Everything& all, std::size_t i, const domain::Command& command,
                        const Down* down) {
  Side& side = all.sides[i];
  const auto decided = domain::decide(side.state, command, link_caller(), all.now);
  if (decided) apply_side(all, i, *decided);
  if (down == nullptr || !side.is_up) return;
  const Reply reply = decided ? Reply(domain::Answer{}) : Reply(std::unexpected(decided.error()));
  if (const auto answer = answer_to(*down, reply)) side.ups.push_back(*answer);
}

// What happens on the way.

void Explorer::say(Everything& all, std::size_t i, const Down& message) {
  if (all.sides[i].is_up) all.sides[i].downs.push_back({message, all.now});
}

void Explorer::deliver_down(Everything& all, std::size_t i) {
  Side& side = all.sides[i];
  Saying saying = side.downs.front();
  side.downs.pop_front();
  Span* run_for = nullptr;
  if (auto* commit = std::get_if<CommitUnit>(&saying.message)) run_for = &commit->run_for;
  auto* renewals = std::get_if<RenewUnits>(&saying.message);
  if (renewals != nullptr && !domain::count_down(*renewals, saying.said, all.now)) return;
  if (run_for != nullptr && !domain::count_down(*run_for, saying.said, all.now)) return;
  put_side(all, i, to_command(parent_of(side), saying.message), &saying.message);
}

void Explorer::deliver_up(Everything& all, std::size_t i) {
  const Up up = all.sides[i].ups.front();
  all.sides[i].ups.pop_front();
  put_home(all, to_command(member_of(all, i), up), &up, i);
}

void Explorer::cut(Everything& all) {
  Side& side = all.sides[0];
  side.downs.clear();
  side.ups.clear();
  side.is_up = false;
  side.away_since = all.now;
  for (const auto& [id, pool] : all.home.catalogue().pools())
    if (pool.member == member_of(all, 0)) all.home.observe(id, reading_of_nothing(1), all.now);
}

void Explorer::connect(Everything& all) {
  Side& side = all.sides[0];
  side.is_up = true;
  for (const domain::Effect& effect : domain::outstanding_for(side.state, parent_of(side)))
    side.ups.push_back(std::get<domain::TellParent>(effect).message);
  for (const domain::Effect& effect : domain::outstanding_for(all.home, member_of(all, 0)))
    say(all, 0, std::get<domain::TellMember>(effect).message);
  for (const auto& [id, pool] : all.home.catalogue().pools())
    if (pool.member == member_of(all, 0)) all.home.observe(id, {}, all.now);
  settle_home(all);
}

// Whatever was on its way to the machine is lost, and said again by a process that knows no better.
void Explorer::restart_member(Everything& all) {
  Side& side = all.sides[0];
  if (side.is_up) cut(all);
  const domain::Effects outstanding = domain::outstanding_effects(side.state);
  side.to_machine.assign(outstanding.begin(), outstanding.end());
  for (const auto& [key, work] : std::map(side.machine)) report(all, 0, key);
}

// The machines.

void Explorer::report(Everything& all, std::size_t i, const AttemptKey& key) {
  const Work& work = all.sides[i].machine.at(key);
  if (work.state == AttemptState::none) return;
  Progress progress = work.end;
  progress.key = key;
  progress.state = work.state;
  put_side(all, i, domain::Report{progress});
}

void Explorer::begin(Everything& all, std::size_t i, const AttemptKey& key) {
  Work& work = all.sides[i].machine.at(key);
  work.state = AttemptState::running;
  work.started = all.now;
  report(all, i, key);
}

void Explorer::end(Everything& all, std::size_t i, const AttemptKey& key, AttemptEnd why,
                   Moment at) {
  Work& work = all.sides[i].machine[key];
  work.state = AttemptState::ended;
  work.end.end = why;
  if (work.started != Moment{}) work.end.usage.wall = at - work.started;
  report(all, i, key);
}

void Explorer::launch(Everything& all, std::size_t i, const domain::AskLaunch& ask) {
  Work& work = all.sides[i].machine[ask.launch.key];
  if (work.state != AttemptState::none) return report(all, i, ask.launch.key);
  Span run_for = ask.launch.run_for;
  const bool is_in_time = domain::count_down(run_for, ask.decided, all.now);
  if ((ask.launch.is_late && run_for > Span{}) || !is_in_time)
    return end(all, i, ask.launch.key, AttemptEnd::lapsed, all.now);
  work.state = AttemptState::staging;
  if (run_for > Span{}) work.lapses = all.now + run_for;
}

void Explorer::stop(Everything& all, std::size_t i, const StopAttempt& wish) {
  const Work& work = all.sides[i].machine[wish.key];
  if (work.state == AttemptState::ended) return report(all, i, wish.key);
  end(all, i, wish.key, wish.why, all.now);
}

void Explorer::perform(Everything& all, std::size_t i) {
  const domain::Effect effect = all.sides[i].to_machine.front();
  all.sides[i].to_machine.pop_front();
  if (const auto* ask = std::get_if<domain::AskLaunch>(&effect)) return launch(all, i, *ask);
  if (const auto* ask = std::get_if<domain::AskStop>(&effect)) return stop(all, i, ask->stop);
  const auto* ask = std::get_if<domain::AskRenew>(&effect);
  if (ask == nullptr) return;
  const auto at = all.sides[i].machine.find(ask->renew.key);
  Span run_for = ask->renew.run_for;
  if (at == all.sides[i].machine.end() || !is_live(at->second) ||
      !domain::count_down(run_for, ask->decided, all.now))
    return;
  at->second.lapses = std::max(at->second.lapses, all.now + run_for);
}

void Explorer::pass(Everything& all, Span step) {
  all.now = all.now + step;
  for (std::size_t i = 0; i < 2; ++i) {
    for (const auto& [key, work] : std::map(all.sides[i].machine))
      if (is_live(work) && work.lapses != Moment{} && work.lapses <= all.now)
        end(all, i, key, AttemptEnd::lapsed, work.lapses);
    settle_side(all, i);
  }
  settle_home(all);
}

// The far member is always there, and quick; only when its work ends is open.
void Explorer::serve_far(Everything& all) {
  Side& far = all.sides[1];
  while (true) {
    if (!far.downs.empty()) {
      deliver_down(all, 1);
    } else if (!far.ups.empty()) {
      deliver_up(all, 1);
    } else if (!far.to_machine.empty()) {
      perform(all, 1);
    } else {
      const auto staged = std::ranges::find_if(
          far.machine, [](const auto& each) { return each.second.state == AttemptState::staging; });
      if (staged == far.machine.end()) return;
      begin(all, 1, AttemptKey(staged->first));
    }
  }
}

// The promises.

void Explorer::check(const Everything& all) {
  std::size_t running = 0;
  std::set<std::uint32_t> units;
  std::set<std::uint32_t> attempts;
  for (const Side& side : all.sides) {
    for (const auto& [key, work] : side.machine) {
      if (work.state != AttemptState::running) continue;
      const UnitAttempt& home = side.state.jobs().find(key.job)->guest->home;
      ++running;
      if (!units.insert(home.unit).second) broken = "two attempts of a task run at once";
      attempts.insert(home.attempt);
    }
  }
  if (attempts.size() > 1) broken = "parts of two attempts of a gang run at once";
  if (running == 2) ++whole;
  for (const Side& side : all.sides) {
    std::int64_t cores = 0;
    for (const auto& [id, lease] : side.state.market().leases()) cores += lease.grant.cpu_milli;
    if (cores > 1000) broken = "a core is granted twice";
  }
  if (job_of(all).units.front().attempt > 1 && running > 0) ++replaced;
}

// Once nothing is on its way and nothing is waited for, all that was used is charged, once.
void Explorer::check_rest(const Everything& all) {
  const jobs::Job& job = job_of(all);
  if (job.outcome == jobs::Outcome::none || job.lost_open > 0) return;
  Money due;
  std::size_t charged = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const Side& side = all.sides[i];
    if (!side.is_up || !side.downs.empty() || !side.ups.empty() || !side.to_machine.empty()) return;
    for (const auto& [key, work] : side.machine) {
      if (is_live(work)) return;
      const Money one = domain::charge_for(prices[i], work.end.usage.wall);
      due = due + one;
      charged += one > Money{} ? 1U : 0U;
    }
  }
  if (job.cost != due)
    broken = "charged are " + print_money(job.cost) + " CNY, used was " + print_money(due);
  if (!all.home.ledger().holds().empty()) broken = "something stays held";
  if (charged > 1) ++told_late;
}

void Explorer::reach(Everything&& all) {
  serve_far(all);
  if (!seen_.insert(key_of(all)).second) return;
  ++states;
  check(all);
  check_rest(all);
  open_.push_back(std::move(all));
}

void Explorer::try_one(const Everything& from, Act act) {
  if (!broken.empty()) return;
  Everything next = from;
  act(next);
  reach(std::move(next));
}

void Explorer::try_all(const Everything& from) {
  const Side& near = from.sides[0];
  if (!near.downs.empty()) try_one(from, [&](Everything& all) { deliver_down(all, 0); });
  if (!near.ups.empty()) try_one(from, [&](Everything& all) { deliver_up(all, 0); });
  if (!near.to_machine.empty()) try_one(from, [&](Everything& all) { perform(all, 0); });
  for (std::size_t i = 0; i < 2; ++i) {
    for (const auto& [key, work] : from.sides[i].machine) {
      if (work.state == AttemptState::staging)
        try_one(from, [&](Everything& all) { begin(all, i, key); });
      if (work.state == AttemptState::running)
        try_one(from, [&](Everything& all) { end(all, i, key, AttemptEnd::exited, all.now); });
    }
  }
  if (near.is_up && from.left.cuts > 0)
    try_one(from, [&](Everything& all) {
      --all.left.cuts;
      cut(all);
    });
  if (!near.is_up) {
    try_one(from, [&](Everything& all) { connect(all); });
    const domain::NoteAbsence absence{member_of(from, 0), from.now - near.away_since};
    try_one(from, [&](Everything& all) { put_home(all, absence); });
  }
  if (from.left.restarts > 0)
    try_one(from, [&](Everything& all) {
      --all.left.restarts;
      restart_member(all);
    });
  for (const Span step : steps) {
    if (from.left.steps > 0)
      try_one(from, [&](Everything& all) {
        --all.left.steps;
        pass(all, step);
      });
  }
}

void Explorer::explore() {
  while (!open_.empty() && broken.empty()) {
    const Everything next = std::move(open_.back());
    open_.pop_back();
    try_all(next);
  }
}

Explorer::Explorer(const Bounds& bounds) {
  Everything all;
  all.left = bounds;
  const auto found = [&](domain::State& state, const std::string& name) {
    state.apply(
        *domain::decide(state, domain::FoundDomain{name, name, "operator", wire::hash(name)},
                        link_caller(), birth),
        birth);
  };
  found(all.home, "home");
  for (std::size_t i = 0; i < 2; ++i) {
    found(all.sides[i].state, names[i]);
    auto engine = std::get<domain::StartMember>(small_beginnings().back());
    engine.pools.front().cpu_milli_per_node = 1000;
    engine.pools.front().price.core_hour = prices[i];
    put_side(all, i, engine);
    put_side(all, i, domain::JoinParent{"home"});
    const auto offer = domain::offer_to_parents(all.sides[i].state);
    all.home.apply(
        *domain::decide(all.home, domain::OfferSupply{names[i], offer}, link_caller(), birth),
        birth);
  }
  domain::Caller person = link_caller();
  std::uint64_t requests = 0;
  domain::SubmitJob job = small_job();
  job.payloads = 0;
  job.spec.payload = {};
  job.spec.max_duration = hours(1);
  job.spec.grace = {};
  job.spec.objective = Objective::cost;
  job.spec.partition = {lost_after, true};
  if (bounds.is_gang) {
    job.spec.elements = 2;
    job.spec.spread = Spread::network;
  }
  for (const domain::Command& command :
       {domain::Command(domain::CreateProject{small_project, ""}),
        domain::Command(domain::Deposit{small_project, yuan(1000), ""}), domain::Command(job)}) {
    person.request = make_request_id(birth.us / 1000, 1, ++requests);
    const auto decided = domain::decide(all.home, command, person, birth);
    EXPECT_TRUE(decided) << decided.error().detail;
    apply_home(all, *decided);
  }
  settle_home(all);
  reach(std::move(all));
}

// Sanitizers make it slow; SUAN_PROTOCOL_RESTARTS=1 adds restarts of the member, for minutes.
Bounds bounds_of_this_build() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return {.steps = 2};
#else
  const char* restarts = std::getenv("SUAN_PROTOCOL_RESTARTS");
  return {.restarts = restarts != nullptr && *restarts == '1' ? 1 : 0};
#endif
}

TEST(Protocol, HoldsWhateverHappensInWhateverOrder) {
  const Bounds bounds = bounds_of_this_build();
  Explorer explorer(bounds);
  explorer.explore();
  EXPECT_EQ(explorer.broken, "");
  EXPECT_GT(explorer.replaced, 0U);
  EXPECT_TRUE(bounds.steps <= 2 || explorer.told_late > 0U);
  std::printf("%zu states, %zu with a second attempt, %zu at rest with both charged\n",
              explorer.states, explorer.replaced, explorer.told_late);
}

TEST(Protocol, HoldsForAGangOfWhichEachMemberHasAPart) {
  Explorer explorer({.steps = 2, .is_gang = true});
  explorer.explore();
  EXPECT_EQ(explorer.broken, "");
  EXPECT_GT(explorer.whole, 0U);
  EXPECT_GT(explorer.replaced, 0U);
}

}  // namespace
}  // namespace suan::runtime
