#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "testing/domain_scene.h"
#include "testing/domain_text.h"
#include "testing/property.h"

/// Whatever may be asked of a domain and happen to it, in any order: what must hold afterwards.
namespace suan::domain {
namespace {

using jobs::Phase;
using jobs::UnitKey;

/// What the world has been told and has not answered, kept from events and effects alone.
class Asked {
 public:
  void note(const Events& events, const Effects& effects) {
    const RecordText text(Moment{});
    for (const Event& event : events)
      std::visit([&](const auto& each) { note(text, each); }, event);
    for (const Effect& effect : effects) {
      const std::string said = std::visit(EffectText{text, false}, effect);
      if (std::holds_alternative<AskForget>(effect)) continue;  // The member asks for it again.
      asked_.insert(said);
      // A launch says for how long; whoever sends it again says what is left of that beside it.
      const auto* launch = std::get_if<AskLaunch>(&effect);
      if (launch != nullptr && launch->launch.run_for > Span{})
        asked_.insert("renew " + text.print(launch->launch.key));
    }
  }

  const std::set<std::string>& all() const { return asked_; }

 private:
  void note(const RecordText& text, const jobs::UnitGranted& event) {
    answered("reserve " + text.print(event.unit));
  }
  void note(const RecordText& text, const jobs::UnitLaunched& event) {
    answered("confirm " + text.print(event.unit));
  }
  void note(const RecordText& text, const jobs::UnitReturned& event) { leave(text, event.unit); }
  void note(const RecordText& text, const jobs::UnitEnded& event) { leave(text, event.unit); }
  void note(const RecordText& text, const jobs::TaskStopping& event) {
    over(text.print(event.key));
  }
  void note(const RecordText& text, const jobs::TaskEnded& event) {
    over(text.print(event.key));
    answered("stop " + text.print(event.key));
  }
  void note(const RecordText& text, const PayloadsDestroyed& event) {
    answered("destroy payloads " + text.print(event.first));
  }
  void note(const RecordText&, const auto&) {}

  void leave(const RecordText& text, const UnitKey& key) {
    answered("reserve " + text.print(key));
    answered("confirm " + text.print(key));
  }
  void over(const std::string& attempt) {
    answered("launch " + attempt);
    answered("renew " + attempt);
  }
  void answered(const std::string& start) {
    std::erase_if(asked_, [&](const std::string& each) {
      const bool is_it = each.starts_with(start);
      return is_it && (each.size() == start.size() || each[start.size()] == '#' ||
                       each[start.size()] == ' ');
    });
  }

  std::set<std::string> asked_;
};

/// A domain to which things happen by chance.
class Course {
 public:
  explicit Course(Random& random) : random_(random) {}

  void step() {
    switch (random_.below(12U)) {
      case 0:
      case 1:
        return submit_one();
      case 2:
        return random_.chance(1, 3) ? stop_one() : place();
      case 3:
        return random_.chance(1, 3) ? start_member() : place();
      case 4:
        return pass();
      case 5:
        return destroy_one();
      case 6:
      case 7:
        return report_one();
      default:
        return answer_one();
    }
  }

  Scene scene = furnished_scene();
  Asked asked;

 private:
  bool run(const Command& command, const Caller& caller) {
    scene.effects.clear();
    const Decision decision = scene.run(command, caller);
    if (!decision) return false;
    asked.note(*decision, scene.effects);
    for (const Effect& effect : scene.effects) {
      if (const auto* reserve = std::get_if<AskReserve>(&effect))
        inner_.emplace_back(Reserve{reserve->unit, reserve->attempt});
      if (const auto* confirm = std::get_if<AskConfirm>(&effect))
        inner_.emplace_back(Confirm{confirm->unit, confirm->attempt});
    }
    return true;
  }
  bool run(const Command& command) { return run(command, Scene::process()); }

  void submit_one() {
    JobSpec spec = make_spec(random_.between(0, 4));
    if (spec.alternatives[0].card_milli == 1000 && random_.chance(1, 2))
      spec.alternatives[0].card_milli = 300;
    if (random_.chance(1, 4)) spec.nodes = 2;
    if (spec.nodes == 1 && random_.chance(1, 3)) spec.elements = 1 + random_.below(4U);
    spec.max_duration = random_.chance(1, 3) ? Span{} : minutes(random_.between(1, 90));
    if (random_.chance(1, 3)) spec.budget = Money{random_.between(1, 60'000'000)};
    spec.grace = seconds(random_.between(0, 90));
    if (random_.chance(1, 6)) spec.not_before = scene.now + minutes(random_.between(0, 30));
    if (random_.chance(1, 6)) spec.deadline = scene.now + minutes(random_.between(1, 60));
    spec.priority = static_cast<Priority>(random_.below(3U));
    spec.is_spot = random_.chance(1, 4);
    spec.partition.replace = random_.chance(1, 4);
    spec.retry.on_site_lost = random_.chance(1, 3);
    spec.retry.on_interruption = random_.chance(1, 3);
    const std::uint32_t payloads = random_.below(3U);
    spec.payload.value = payloads > 0 ? 1 : 0;
    spec.alternatives[0].payload.value = payloads > 1 ? 2 : 0;
    run(submit(std::move(spec), payloads), scene.caller(scene.user("ann")));
  }

  const jobs::Job* any_job() {
    const auto& all = scene.state.jobs().all();
    if (all.empty()) return nullptr;
    auto at = all.begin();
    for (auto n = random_.below(all.size()); n > 0; --n) ++at;
    return scene.state.jobs().find(at->first);
  }

  void stop_one() {
    if (const jobs::Job* job = any_job()) run(StopJob{job->id}, scene.caller(scene.user("ann")));
  }

  void place() { run(PlaceWaiting{}); }

  void start_member() {
    std::vector<Pool> pools;
    if (random_.chance(3, 4))
      pools.push_back(make_pool("gpu", 1 + random_.below(3U), 4, yuan(random_.between(8, 12))));
    if (random_.chance(1, 2))
      pools.push_back(make_pool("cpu", 1 + random_.below(2U), 0, {random_.between(0, 500'000)}));
    for (Pool& pool : pools)
      if (random_.chance(2, 3))
        pool.spot_milli = 100 * static_cast<std::uint32_t>(random_.between(1, 9));
    scene.effects.clear();
    scene.start_member(std::move(pools));
  }

  // Time passes. What falls due is done when it is due, or all of it late, as after a restart.
  void pass() {
    const Moment target = scene.now + Span{random_.between(0, minutes(40).us)};
    const bool is_late = random_.chance(1, 4);
    if (is_late) scene.now = target;
    for (;;) {
      const auto timer = scene.state.first_timer();
      if (!timer || timer->at > target) break;
      scene.now = std::max(scene.now, timer->at);
      ASSERT_TRUE(run(Tick{}));
    }
    scene.now = target;
  }

  void destroy_one() {
    if (!scene.state.doomed_payloads().empty())
      run(NotePayloadsDestroyed{scene.state.doomed_payloads().begin()->first});
  }

  void answer_one() {
    if (inner_.empty()) return place();
    const Command command = inner_.front();
    if (random_.chance(7, 8)) inner_.pop_front();  // Else it arrives twice.
    run(command);
  }

  void report_one() {
    const jobs::Job* job = any_job();
    if (job == nullptr) return;
    Progress progress;
    progress.key = {job->id, random_.below(job->spec->tasks()), 0};
    const jobs::Unit& unit = job->units[jobs::place_of(*job->spec, progress.key.task).unit];
    progress.key.attempt = unit.attempt;
    progress.state = AttemptState::running;
    if (random_.chance(1, 2)) {
      constexpr std::array<AttemptEnd, 8> ends{AttemptEnd::exited,    AttemptEnd::exited,
                                               AttemptEnd::signalled, AttemptEnd::timed_out,
                                               AttemptEnd::cancelled, AttemptEnd::lost,
                                               AttemptEnd::lapsed,    AttemptEnd::launch_failed};
      progress.state = AttemptState::ended;
      progress.end = ends[random_.below(ends.size())];
      progress.exit_code = random_.chance(1, 2) ? 0 : 1;
      progress.usage.wall = Span{random_.between(0, hours(2).us)};
    }
    run(Report{progress});
  }

  Random& random_;
  std::deque<Command> inner_;  // Answers to effects, on their way.
};

std::set<std::string> outstanding(const State& state) {
  const RecordText text(Moment{});
  std::set<std::string> all;
  for (const Effect& effect : outstanding_effects(state))
    EXPECT_TRUE(all.insert(std::visit(EffectText{text, false}, effect)).second);
  return all;
}

// What holds between the rooms.
void expect_consistent(const State& state) {
  Money sum;
  for (const auto& [key, account] : state.ledger().accounts()) sum = sum + account.balance;
  EXPECT_EQ(sum, Money{});
  std::size_t holds = 0;
  std::size_t leases = 0;
  for (const auto& [id, job] : state.jobs().all()) {
    const ledger::Hold* hold = state.ledger().holds().find(job.hold);
    ASSERT_EQ(hold == nullptr, job.outcome != jobs::Outcome::none);
    if (hold == nullptr) continue;
    ++holds;
    Money allotted;
    for (const jobs::Unit& unit : job.units) {
      allotted = allotted + unit.allowance_left;
      for (const jobs::Task& task : unit.tasks) {
        if (!task.lease) continue;
        ++leases;
        const market::Lease* lease = state.market().find_lease(task.lease);
        ASSERT_NE(lease, nullptr);
        EXPECT_EQ(lease->state == market::LeaseState::tentative, task.phase == Phase::confirming);
        EXPECT_EQ(lease->holder.job, id);
        EXPECT_EQ(lease->holder.attempt, unit.attempt);
      }
    }
    EXPECT_EQ(hold->allotted, allotted);
    EXPECT_EQ(hold->charged, job.cost);
    EXPECT_TRUE(job.spec->budget == Money{} || job.cost <= job.spec->budget);
  }
  EXPECT_EQ(state.ledger().holds().size(), holds);
  EXPECT_EQ(state.market().leases().size(), leases);
}

void expect_same_when_made_anew(const State& state) {
  State again = state;
  again.reindex();
  EXPECT_EQ(derived_of(again), derived_of(state));
  EXPECT_EQ(truth_of(again), truth_of(state));
}

TEST(Course, LeavesIndexesThatCanBeMadeAnewAndRoomsThatAgree) {
  for_each_seed(
      [](Random& random) {
        Course course(random);
        for (int i = 0; i < 200; ++i) {
          course.step();
          expect_consistent(course.scene.state);
          if (i % 20 == 0) expect_same_when_made_anew(course.scene.state);
          if (testing::Test::HasFailure()) return;
        }
        expect_same_when_made_anew(course.scene.state);
      },
      60);
}

// A restart sends again what was sent and not answered, and nothing else.
TEST(Course, LeavesEffectsThatARestartSendsAgain) {
  for_each_seed(
      [](Random& random) {
        Course course(random);
        for (int i = 0; i < 200; ++i) {
          course.step();
          ASSERT_EQ(outstanding(course.scene.state), course.asked.all()) << "step " << i;
        }
      },
      60);
}

// What is sent again never lets an attempt run longer than what is paid.
TEST(Course, RenewsNoLongerThanIsPaid) {
  for_each_seed(
      [](Random& random) {
        Course course(random);
        for (int i = 0; i < 200; ++i) {
          course.step();
          const State& state = course.scene.state;
          for (const Effect& effect : outstanding_effects(state)) {
            const auto* ask = std::get_if<AskRenew>(&effect);
            if (ask == nullptr) continue;
            const jobs::Job& job = *state.jobs().find(ask->renew.key.job);
            const auto place = jobs::place_of(*job.spec, ask->renew.key.task);
            const jobs::Unit& unit = job.units[place.unit];
            ASSERT_GT(ask->renew.run_for, Span{});
            ASSERT_LE(ask->renew.run_for, unit.run_for);
            if (unit.paid_until == Moment{}) continue;
            const Span paid = unit.paid_until - state.essence().now - job.spec->grace;
            ASSERT_LE(ask->renew.run_for, std::max(paid, Span{1}));
          }
        }
      },
      40);
}

TEST(Course, OfAForkIsItsOwn) {
  for_each_seed(
      [](Random& random) {
        Course origin(random);
        for (int i = 0; i < 100; ++i) origin.step();
        const std::string truth = truth_of(origin.scene.state);
        const std::string derived = derived_of(origin.scene.state);
        Course fork = origin;
        for (int i = 0; i < 100; ++i) fork.step();
        ASSERT_EQ(truth_of(origin.scene.state), truth);
        ASSERT_EQ(derived_of(origin.scene.state), derived);
        const std::string elsewhere = truth_of(fork.scene.state);
        for (int i = 0; i < 50; ++i) origin.step();
        ASSERT_EQ(truth_of(fork.scene.state), elsewhere);
        expect_same_when_made_anew(fork.scene.state);
      },
      40);
}

// The same events lead to the same state: nothing in it comes from elsewhere.
TEST(Course, IsTheSameWhenItIsTakenAgain) {
  for_each_seed(
      [](Random& random) {
        const std::uint64_t seed = random.next();
        std::vector<std::string> truths;
        for (int run = 0; run < 2; ++run) {
          Random again(seed);
          Course course(again);
          for (int i = 0; i < 150; ++i) course.step();
          truths.push_back(truth_of(course.scene.state) + derived_of(course.scene.state));
        }
        ASSERT_EQ(truths[0], truths[1]);
      },
      20);
}

}  // namespace
}  // namespace suan::domain
