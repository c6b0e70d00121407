// The member contract between two domains, each with a core of its own.
#include "runtime/contract.h"

#include <deque>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "domain/shown.h"
#include "testing/small_domain.h"

namespace suan::runtime {
namespace {

using jobs::Phase;

/// One domain: its core, and what leaves it for others.
class End : public Outlet {
 public:
  End(HandClock& at, const std::string& name) : clock(at), journal(disk) {
    core.emplace(domain::State{}, journal, *journal.claim_leadership(), clock, *this,
                 CoreOptions{});
    put(domain::FoundDomain{name, name, "operator", wire::hash(name)});
  }

  Reply put(domain::Command command, std::vector<std::string> payloads = {},
            domain::Caller caller = link_caller()) {
    std::optional<Reply> answer;
    std::vector<Request> requests(1);
    requests.front() = {std::move(command), caller, std::move(payloads),
                        [&](const Reply& reply) { answer = reply; }};
    EXPECT_TRUE(core->step(requests));
    settle();
    return *answer;
  }
  void settle() {
    std::vector<Request> none;
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(core->step(none));
  }
  const domain::State& state() const { return core->state(); }

  void on_effect(const domain::Effect& effect) override {
    if (const auto* down = std::get_if<domain::TellMember>(&effect)) downs.push_back(down->message);
    if (const auto* up = std::get_if<domain::TellParent>(&effect)) ups.push_back(up->message);
    if (const auto* launch = std::get_if<domain::AskLaunch>(&effect))
      launches.push_back(launch->launch);
    if (const auto* stop = std::get_if<domain::AskStop>(&effect)) stops.push_back(stop->stop);
    if (const auto* renew = std::get_if<domain::AskRenew>(&effect))
      renewals.push_back(renew->renew);
  }
  void on_durable(std::shared_ptr<const DurableBatch>) override {}

  HandClock& clock;
  journal::MemoryDisk disk;
  journal::MemoryJournal journal;
  std::optional<Core> core;
  std::deque<Down> downs;
  std::deque<Up> ups;
  std::vector<Launch> launches;
  std::vector<StopAttempt> stops;
  std::vector<RenewAttempt> renewals;
};

class Contract : public testing::Test {
 protected:
  Contract() {
    domain::StartMember engine = std::get<domain::StartMember>(small_beginnings().back());
    engine.pools.front().nodes = 3;
    child.put(engine);
    EXPECT_TRUE(child.put(domain::JoinParent{"parent"}));
    offer();
    EXPECT_TRUE(parent.put(domain::CreateProject{small_project, ""}, {}, caller()));
    EXPECT_TRUE(parent.put(domain::Deposit{small_project, yuan(1000), "a grant"}, {}, caller()));
  }

  domain::Caller caller() {
    domain::Caller caller = link_caller();
    caller.request = make_request_id(clock.now().us / 1000, 1, ++requests_);
    return caller;
  }
  void offer() {
    EXPECT_TRUE(parent.put(domain::OfferSupply{"child", domain::offer_to_parents(child.state())}));
  }
  ParentId parent_id() { return child.state().identity().find_parent("parent")->id; }
  MemberId member_id() { return parent.state().catalogue().find_member("child")->id; }

  /// Carries messages until there are none.
  void relay() {
    while (!parent.downs.empty() || !child.ups.empty()) {
      if (!parent.downs.empty()) {
        const Down down = parent.downs.front();
        parent.downs.pop_front();
        to_child(down);
      } else {
        const Up up = child.ups.front();
        child.ups.pop_front();
        const Reply reply = parent.put(to_command(member_id(), up));
        if (const auto answer = answer_to(up, reply)) parent.downs.push_back(*answer);
      }
    }
  }
  void to_child(const Down& down) {
    std::vector<std::string> payloads;
    const auto* commit = std::get_if<CommitUnit>(&down);
    if (commit != nullptr && commit->payload)
      payloads.push_back(*parent.journal.read_blob(commit->payload.value));
    const Reply reply = child.put(to_command(parent_id(), down), payloads);
    if (const auto answer = answer_to(down, reply)) child.ups.push_back(*answer);
  }

  JobId submit(std::uint32_t nodes = 1, Span lost_after = {}) {
    domain::SubmitJob job = small_job();
    job.spec.nodes = nodes;
    job.spec.partition = {lost_after, lost_after > Span{}};
    const Reply reply = parent.put(job, {"payload"}, caller());
    EXPECT_TRUE(reply) << reply.error().detail;
    return JobId{parent.state().essence().last.job};
  }
  const jobs::Job& at_home(JobId id) { return *parent.state().jobs().find(id); }
  const jobs::Job& guest() {
    return *child.state().jobs().find(JobId{child.state().essence().last.job});
  }
  void report(AttemptState state, Span wall = {}, std::uint32_t task = 0) {
    Progress progress;
    progress.key = {guest().id, task, 1};
    progress.state = state;
    if (state == AttemptState::ended) progress.end = AttemptEnd::exited;
    progress.usage.wall = wall;
    child.put(domain::Report{progress});
  }

  HandClock clock;
  End parent{clock, "parent"};
  End child{clock, "child"};
  std::uint64_t requests_ = 0;
};

TEST_F(Contract, AUnitRunsElsewhereAndIsPaidThere) {
  const JobId id = submit();
  EXPECT_EQ(at_home(id).units.front().phase, Phase::reserving);
  relay();
  EXPECT_EQ(at_home(id).units.front().phase, Phase::staging);
  ASSERT_EQ(child.launches.size(), 1U);
  EXPECT_EQ(child.journal.read_blob(child.launches.front().payload.value), "payload");
  report(AttemptState::running);
  relay();
  EXPECT_EQ(at_home(id).units.front().phase, Phase::running);
  report(AttemptState::ended, seconds(30));
  relay();
  EXPECT_EQ(at_home(id).outcome, jobs::Outcome::finished);
  const Money price = scale(Money{150'000}, 30, 3600);
  EXPECT_EQ(at_home(id).cost, price);
  EXPECT_EQ(guest().cost, price);
  const auto& books = child.state().ledger();
  EXPECT_EQ(books.balance(ledger::project_account(guest().spec->project)), Money{});
  EXPECT_EQ(books.balance({ledger::AccountKind::funding, 0}), Money{} - price);
  EXPECT_TRUE(parent.state().market().leases().empty());
  EXPECT_TRUE(child.state().market().leases().empty());
  EXPECT_TRUE(guest().guest->is_let_go);
}

TEST_F(Contract, AGangIsHostedAsOneAndKnowsItsRanks) {
  const JobId id = submit(3);
  relay();
  ASSERT_EQ(child.launches.size(), 3U);
  EXPECT_EQ(child.launches.back().tasks, 3U);
  EXPECT_EQ(parent.state().market().leases().size(), 3U);
  for (std::uint32_t t = 0; t < 3; ++t) report(AttemptState::ended, seconds(1), t);
  relay();
  EXPECT_EQ(at_home(id).outcome, jobs::Outcome::finished);
}

TEST_F(Contract, WhatIsSaidAgainChangesNothing) {
  const JobId id = submit();
  const std::deque<Down> first = parent.downs;
  relay();
  for (const Down& again : first) to_child(again);
  for (const domain::Effect& effect : domain::outstanding_for(parent.state(), member_id()))
    to_child(std::get<domain::TellMember>(effect).message);
  relay();
  EXPECT_EQ(child.launches.size(), 1U);
  EXPECT_EQ(at_home(id).units.front().phase, Phase::staging);
  EXPECT_EQ(child.state().essence().last.job, 1U);
}

TEST_F(Contract, WhatIsNotCommittedLapsesAndIsPlacedAnew) {
  const JobId id = submit();
  to_child(parent.downs.front());
  parent.downs.clear();
  const std::deque<Up> hosted = child.ups;
  ASSERT_EQ(guest().units.front().phase, Phase::confirming);
  clock.pass(domain::tentative_lease_lasts + seconds(1));
  child.settle();
  EXPECT_TRUE(guest().guest->is_refused);
  EXPECT_TRUE(child.state().market().leases().empty());
  relay();  // The home hears of the grant first, commits it, and is refused.
  EXPECT_TRUE(child.launches.empty());
  EXPECT_EQ(at_home(id).units.front().phase, Phase::waiting);
  EXPECT_TRUE(parent.state().market().leases().empty());
  clock.pass(domain::refused_pause_max);
  parent.settle();
  relay();
  EXPECT_EQ(child.launches.size(), 1U);
  EXPECT_EQ(at_home(id).units.front().attempt, 2U);
}

TEST_F(Contract, WhatHasExpiredIsNotKept) {
  const JobId id = submit();
  to_child(parent.downs.front());
  ASSERT_EQ(guest().units.front().phase, Phase::confirming);
  child.ups.clear();
  clock.pass(domain::tentative_lease_lasts);
  to_child(ConfirmUnit{{id, 0, 1}});
  EXPECT_TRUE(guest().guest->is_refused);
  EXPECT_TRUE(child.state().market().leases().empty());
  ASSERT_FALSE(child.ups.empty());
  EXPECT_TRUE(std::holds_alternative<UnitRefused>(child.ups.front()));
}

TEST_F(Contract, AStopReachesTheMachineAndTheEndComesBack) {
  const JobId id = submit();
  relay();
  report(AttemptState::running);
  relay();
  EXPECT_TRUE(parent.put(domain::StopJob{id}, {}, caller()));
  relay();
  ASSERT_EQ(child.stops.size(), 1U);
  EXPECT_EQ(at_home(id).outcome, jobs::Outcome::none);
  Progress end;
  end.key = {guest().id, 0, 1};
  end.state = AttemptState::ended;
  end.end = AttemptEnd::cancelled;
  child.put(domain::Report{end});
  relay();
  EXPECT_EQ(at_home(id).outcome, jobs::Outcome::cancelled);
}

TEST_F(Contract, WhatItsHomeLetsGoOfIsStopped) {
  submit();
  const HostUnit wish = std::get<HostUnit>(parent.downs.front());
  relay();
  report(AttemptState::running);
  child.ups.clear();
  to_child(LetGo{wish.unit});
  ASSERT_EQ(child.stops.size(), 1U);
  report(AttemptState::ended, seconds(1));
  EXPECT_TRUE(child.ups.empty());  // Nobody wants to hear of it.
  EXPECT_TRUE(child.state().market().leases().empty());
  EXPECT_EQ(guest().cost, scale(Money{150'000}, 1, 3600));
}

TEST_F(Contract, WhatNobodyAnsweredIsTakenBack) {
  const JobId id = submit();
  EXPECT_FALSE(parent.put(domain::NoteAbsence{member_id(), seconds(1)}));
  EXPECT_FALSE(parent.put(domain::NoteAbsence{MemberId{99}, hours(1)}));
  EXPECT_TRUE(parent.put(domain::NoteAbsence{member_id(), seconds(2)}));
  EXPECT_EQ(at_home(id).units.front().phase, Phase::waiting);
  EXPECT_EQ(at_home(id).units.front().mishaps.back().setback, jobs::Setback::unanswered);
  EXPECT_FALSE(parent.put(domain::NoteAbsence{member_id(), hours(1)}));
  relay();  // It is hosted after all, and let go of.
  EXPECT_TRUE(child.launches.empty());
  EXPECT_TRUE(child.state().market().leases().empty());
  EXPECT_TRUE(guest().guest->is_let_go);
}

TEST_F(Contract, WhatMustHaveStoppedIsGivenUpAndChargedWhenItIsTold) {
  const JobId id = submit(1, seconds(60));
  relay();
  report(AttemptState::running);
  relay();
  EXPECT_EQ(child.launches.front().run_for, seconds(60));
  const Span lasts = seconds(60) + at_home(id).spec->grace;
  const Span enough = lasts + lasts / 50 + seconds(10);
  clock.pass(enough);
  EXPECT_FALSE(parent.put(domain::NoteAbsence{member_id(), enough - Span{1}}));
  EXPECT_TRUE(parent.put(domain::NoteAbsence{member_id(), enough}));
  const jobs::Unit& unit = at_home(id).units.front();
  EXPECT_EQ(unit.phase, Phase::waiting);
  ASSERT_EQ(unit.lost.size(), 1U);
  EXPECT_EQ(at_home(id).cost, Money{});
  EXPECT_GT(at_home(id).owed, Money{});
  EXPECT_TRUE(parent.state().market().leases().empty());
  parent.downs.clear();  // What was said meanwhile went nowhere.

  // When the link is back, it is asked to stop; what it used is charged, and both are done with it.
  for (const domain::Effect& effect : domain::outstanding_for(parent.state(), member_id()))
    parent.downs.push_back(std::get<domain::TellMember>(effect).message);
  ASSERT_EQ(parent.downs.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<StopTask>(parent.downs.front()));
  relay();
  report(AttemptState::ended, seconds(36));
  relay();
  EXPECT_EQ(at_home(id).cost, scale(Money{150'000}, 36, 3600));
  EXPECT_EQ(at_home(id).lost_open, 0U);
  EXPECT_EQ(at_home(id).owed, at_home(id).cost);
  EXPECT_TRUE(parent.state().hosted().empty());
  EXPECT_TRUE(guest().guest->is_let_go);
  clock.pass(seconds(10));
  parent.settle();
  relay();
  EXPECT_EQ(at_home(id).units.front().attempt, 2U);
  EXPECT_EQ(child.launches.size(), 2U);
}

TEST_F(Contract, WhatIsNeverToldOfIsNotWaitedForForever) {
  const JobId id = submit(2, seconds(60));
  relay();
  EXPECT_TRUE(parent.put(domain::StopJob{id}, {}, caller()));
  EXPECT_TRUE(parent.put(domain::NoteAbsence{member_id(), minutes(2)}));
  EXPECT_EQ(at_home(id).outcome, jobs::Outcome::cancelled);
  clock.pass(hours(24));
  parent.settle();
  EXPECT_EQ(at_home(id).lost_open, 1U);  // It stays in hot state.
  clock.pass(domain::late_usage_awaited);
  parent.settle();
  EXPECT_EQ(parent.state().jobs().find(id), nullptr);
  EXPECT_TRUE(parent.state().hosted().empty());
  EXPECT_TRUE(parent.state().ledger().holds().empty());
}

TEST_F(Contract, WhatIsCommittedAgainStartsOnlyWhereItsHomeMaySay) {
  const JobId id = submit(1, seconds(60));
  to_child(parent.downs.front());
  parent.downs.clear();
  const UnitAttempt unit{id, 0, 1};
  to_child(CommitUnit{.unit = unit,
                      .run_for = seconds(60),
                      .max_duration = {},
                      .lost_after = seconds(60),
                      .is_late = true});
  EXPECT_TRUE(guest().guest->is_refused);
  EXPECT_TRUE(child.launches.empty());
  child.ups.clear();
  to_child(StopTask{unit, 0, AttemptEnd::lapsed, {}});
  ASSERT_EQ(child.ups.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<UnitRefused>(child.ups.front()));
}

TEST_F(Contract, TimeOnTheWayCounts) {
  Span run_for = seconds(60);
  EXPECT_TRUE(domain::count_down(run_for, Moment{1000}, Moment{1000} + seconds(50)));
  EXPECT_EQ(run_for, seconds(10));
  EXPECT_FALSE(domain::count_down(run_for, Moment{1000}, Moment{1000} + seconds(10)));
  Span unlimited;
  EXPECT_TRUE(domain::count_down(unlimited, Moment{1000}, Moment{1000} + hours(1)));
}

/// Records from one on: how many, and of how many bytes.
struct Written {
  std::uint64_t records = 0;
  std::size_t bytes = 0;
};

Written written_since(const End& end, std::uint64_t sequence) {
  Written out;
  while (true) {
    const auto records = end.journal.follow(sequence + out.records + 1, 4096);
    EXPECT_TRUE(records);
    if (!records || records->empty()) return out;
    out.records += records->size();
    for (const journal::Record& each : *records) out.bytes += each.bytes.size();
  }
}

class Heartbeats : public Contract {
 protected:
  static constexpr std::uint32_t jobs = 10;
  static constexpr std::uint32_t elements = 20;
  static constexpr std::size_t units = std::size_t{jobs} * elements;

  Heartbeats() {
    domain::StartMember engine = std::get<domain::StartMember>(small_beginnings().back());
    engine.pools.front().nodes = 30;
    child.put(engine);
    offer();
    relay();
  }

  void pass(Span span) {
    clock.pass(span);
    parent.settle();
    child.settle();
  }

  JobId submit_array(Span lost_after) {
    domain::SubmitJob job = small_job();
    job.spec.elements = elements;
    job.spec.max_duration = hours(2);
    job.spec.partition = {lost_after, lost_after > Span{}};
    const Reply reply = parent.put(job, {"payload"}, caller());
    EXPECT_TRUE(reply) << reply.error().detail;
    relay();
    return JobId{parent.state().essence().last.job};
  }

  // Over a minute, so that no two jobs began together.
  void start_all() {
    for (std::uint32_t i = 0; i < jobs; ++i) {
      submit_array(seconds(60));
      pass(milliseconds(6'100));
      relay();
    }
    ASSERT_EQ(child.launches.size(), units);
  }
};

// Each is renewed in its time at least as often as alone, by a fiftieth of the records.
TEST_F(Heartbeats, OneRenewsAllThatRunWithAMember) {
  start_all();
  std::map<AttemptKey, Moment> heard;
  for (const Launch& each : child.launches) heard[each.key] = clock.now();
  const std::uint64_t home = parent.state().essence().sequence;
  const std::uint64_t site = child.state().essence().sequence;
  std::size_t messages = 0;
  for (int second = 0; second < 60; ++second) {
    pass(seconds(1));
    messages += parent.downs.size();
    child.renewals.clear();
    relay();
    for (const RenewAttempt& each : child.renewals) {
      EXPECT_EQ(each.run_for, seconds(60));
      heard[each.key] = clock.now();
    }
    for (const auto& [key, at] : heard) ASSERT_LE(clock.now() - at, seconds(21));
  }
  const Written at_home = written_since(parent, home);
  const Written at_site = written_since(child, site);
  EXPECT_EQ(heard.size(), units);
  EXPECT_LE(messages, 3 * units / 50);
  EXPECT_LE(at_home.records, 3 * units / 50);
  EXPECT_LE(at_site.records, 3 * units / 50);
  EXPECT_GE(at_home.records, 3U);
  RecordProperty("messages", std::to_string(messages));
  RecordProperty("home_records", std::to_string(at_home.records));
  RecordProperty("home_bytes", std::to_string(at_home.bytes));
  RecordProperty("site_records", std::to_string(at_site.records));
  RecordProperty("site_bytes", std::to_string(at_site.bytes));
}

// What 200 of them would write if each were renewed by itself.
TEST_F(Heartbeats, ALoneUnitHasThreeRecordsAMinute) {
  domain::SubmitJob job = small_job();
  job.spec.max_duration = hours(2);
  job.spec.partition = {seconds(60), true};
  ASSERT_TRUE(parent.put(job, {"payload"}, caller()));
  relay();
  const std::uint64_t home = parent.state().essence().sequence;
  const std::uint64_t site = child.state().essence().sequence;
  for (int second = 0; second < 60; ++second) {
    pass(seconds(1));
    relay();
  }
  const Written at_home = written_since(parent, home);
  const Written at_site = written_since(child, site);
  EXPECT_EQ(at_home.records, 3U);
  EXPECT_EQ(at_site.records, 3U);
  RecordProperty("home_bytes", std::to_string(at_home.bytes));
  RecordProperty("site_bytes", std::to_string(at_site.bytes));
}

TEST_F(Heartbeats, AreSaidAgainAsOneWhenAConnectionBegins) {
  start_all();
  std::size_t renewed = 0;
  std::size_t messages = 0;
  for (const domain::Effect& effect : domain::outstanding_for(parent.state(), member_id())) {
    const Down& down = std::get<domain::TellMember>(effect).message;
    const auto* heartbeat = std::get_if<RenewUnits>(&down);
    if (heartbeat == nullptr) {
      EXPECT_EQ(messages, 0U);  // Nothing is renewed before it has been committed.
      continue;
    }
    ++messages;
    renewed += heartbeat->units.size();
  }
  EXPECT_EQ(messages, 1U);
  EXPECT_EQ(renewed, units);
}

// What a parent says twice in one heartbeat, or of units it does not have here, pays in nothing.
TEST_F(Heartbeats, NonsenseInOneIsNotBelieved) {
  const JobId id = submit_array(seconds(60));
  const auto balance = [&] {
    return child.state().ledger().balance({ledger::AccountKind::funding, 0});
  };
  const Money before = balance();
  const RenewUnit good{{id, 0, 1}, seconds(30), at_home(id).units.front().allowance + yuan(1)};
  RenewUnits heartbeat{{good, good, good}};
  heartbeat.units.push_back({{id, 1, 2}, seconds(30), yuan(9)});
  heartbeat.units.push_back({{JobId{77}, 0, 1}, seconds(30), yuan(9)});
  heartbeat.units.push_back({{id, 2, 1}, seconds(-1), yuan(9)});
  heartbeat.units.push_back({{id, 3, 1}, seconds(30), Money{INT64_MAX}});
  heartbeat.units.push_back({{id, 4, 1}, seconds(30), Money{-1}});
  child.renewals.clear();
  to_child(heartbeat);
  EXPECT_EQ(balance(), before - yuan(1));
  ASSERT_EQ(child.renewals.size(), 1U);
  EXPECT_EQ(child.renewals.front().run_for, seconds(30));
  EXPECT_FALSE(child.put(to_command(parent_id(), Down(RenewUnits{}))));
  RenewUnits vast;
  vast.units.assign(renewals_max + 1, good);
  EXPECT_FALSE(child.put(to_command(parent_id(), Down(vast))));
  EXPECT_TRUE(child.ups.empty());
}

TEST_F(Heartbeats, TimeOnTheWayCountsForEachUnit) {
  RenewUnits heartbeat{
      {{{{1}, 0, 1}, seconds(60), {}}, {{{1}, 1, 1}, seconds(20), {}}, {{{1}, 2, 1}, {}, {}}}};
  EXPECT_TRUE(domain::count_down(heartbeat, Moment{1000}, Moment{1000} + seconds(20)));
  ASSERT_EQ(heartbeat.units.size(), 2U);
  EXPECT_EQ(heartbeat.units.front().run_for, seconds(40));
  EXPECT_EQ(heartbeat.units.back().run_for, Span{});  // No limit.
  heartbeat.units.pop_back();
  EXPECT_FALSE(domain::count_down(heartbeat, Moment{1000}, Moment{1000} + seconds(40)));
}

TEST_F(Contract, AnotherPriceThanWasOfferedIsRefused) {
  const JobId id = submit();
  domain::StartMember dearer = std::get<domain::StartMember>(small_beginnings().back());
  dearer.pools.front().price.core_hour = yuan(2);
  child.put(dearer);
  relay();
  EXPECT_EQ(at_home(id).units.front().phase, Phase::waiting);
  EXPECT_TRUE(child.launches.empty());
  offer();
  clock.pass(domain::refused_pause_max);
  parent.settle();
  relay();
  EXPECT_EQ(child.launches.size(), 1U);
  EXPECT_EQ(at_home(id).units.front().placement.hourly, yuan(2));
}

TEST_F(Contract, NonsenseFromAMemberIsNotBelieved) {
  const JobId id = submit();
  const UnitAttempt unit{id, 0, 1};
  Grant grant{.node = 7, .cards = {}, .card_milli = 0, .cpu_milli = 1000, .memory_bytes = 1};
  EXPECT_TRUE(parent.put(to_command(member_id(), Up(UnitHosted{unit, {grant}}))));
  EXPECT_EQ(at_home(id).units.front().phase, Phase::waiting);
  EXPECT_TRUE(parent.state().market().leases().empty());
  const Reply late = parent.put(to_command(member_id(), Up(UnitHosted{unit, {grant}})));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, domain::Code::stale);
  EXPECT_FALSE(parent.put(to_command(MemberId{99}, Up(UnitRefused{unit, "no"}))));
  SupplyOffer costly = domain::offer_to_parents(child.state());
  costly.pools.front().price.core_hour = Money{INT64_MAX};
  EXPECT_FALSE(parent.put(domain::OfferSupply{"child", costly}));
  SupplyOffer vast = domain::offer_to_parents(child.state());
  vast.pools.front().nodes = UINT32_MAX;
  EXPECT_FALSE(parent.put(domain::OfferSupply{"child", vast}));
  SupplyOffer twice = domain::offer_to_parents(child.state());
  twice.pools.push_back(twice.pools.front());
  EXPECT_FALSE(parent.put(domain::OfferSupply{"child", twice}));
}

TEST_F(Contract, AMemberIsNotPaidForMoreTimeThanThereWas) {
  const JobId id = submit();
  relay();
  const UnitAttempt unit{id, 0, 1};
  TaskReport lie{.unit = unit, .index = 0, .progress = {}};
  lie.progress.state = AttemptState::ended;
  lie.progress.end = AttemptEnd::exited;
  lie.progress.usage.wall = Span{INT64_MAX};
  EXPECT_TRUE(parent.put(to_command(member_id(), Up(lie))));
  EXPECT_LE(at_home(id).units.front().tasks.front().usage.wall, hours(73));
  EXPECT_LE(at_home(id).cost, at_home(id).held);
}

TEST_F(Contract, NonsenseFromAParentIsRefused) {
  submit();
  HostUnit wish = std::get<HostUnit>(parent.downs.front());
  wish.tasks = 0;
  EXPECT_FALSE(child.put(to_command(parent_id(), Down(wish))));
  wish.tasks = 1;
  wish.need.cpu_milli = -1;
  EXPECT_FALSE(child.put(to_command(parent_id(), Down(wish))));
  wish = std::get<HostUnit>(parent.downs.front());
  wish.allowance = Money{INT64_MAX};
  EXPECT_FALSE(child.put(to_command(parent_id(), Down(wish))));
  wish = std::get<HostUnit>(parent.downs.front());
  wish.pool = PoolId{99};
  EXPECT_FALSE(child.put(to_command(parent_id(), Down(wish))));
  wish = std::get<HostUnit>(parent.downs.front());
  EXPECT_FALSE(child.put(to_command(ParentId{99}, Down(wish))));
  EXPECT_FALSE(child.put(to_command(
      parent_id(),
      Down(CommitUnit{.unit = wish.unit, .run_for = {}, .max_duration = {}, .lost_after = {}}))));
  EXPECT_EQ(child.state().essence().last.job, 0U);
}

}  // namespace
}  // namespace suan::runtime
