#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "journal/memory_journal.h"
#include "runtime/core.h"
#include "wire/hash.h"

/// A domain with one project and one pool, for tests of what stands around it. Test code only.
namespace suan::runtime {

constexpr const char* small_operator_key = "suan_operator";
constexpr const char* small_project = "lab";
constexpr std::int64_t small_cores = 8;

/// Moves only when told, and is ahead of every clock, so that no thread finds anything due. Any
/// thread.
class HandClock : public Clock {
 public:
  explicit HandClock(Moment start = {4'102'444'800'000'000}) : us_(start.us) {}
  Moment now() override { return {us_.load()}; }
  Moment steady() override { return now(); }
  void pass(Span span) { us_ += span.us; }

 private:
  std::atomic<std::int64_t> us_;
};

/// A journal that can be told that its disk is full. Any thread.
class FillableJournal : public journal::MemoryJournal {
 public:
  using MemoryJournal::MemoryJournal;
  void set_full(bool is_full) { is_full_ = is_full; }

  Result<journal::Head> append(std::uint64_t expected_sequence, std::uint64_t leader_epoch,
                               const journal::Batch& batch) override {
    if (is_full_) return failure(Failure::Kind::no_space, "the disk is full");
    return MemoryJournal::append(expected_sequence, leader_epoch, batch);
  }

 private:
  std::atomic<bool> is_full_ = false;
};

/// Commands of the process that make an empty state the small domain.
inline std::vector<domain::Command> small_beginnings() {
  domain::StartMember start;
  start.name = "this-machine";
  start.site.name = "here";
  Pool pool;
  pool.name = "cores";
  pool.nodes = 1;
  pool.cpu_milli_per_node = small_cores * 1000;
  pool.memory_bytes_per_node = std::int64_t{64} << 30U;
  pool.price.core_hour = {150'000};
  start.pools.push_back(pool);
  return {domain::FoundDomain{"small", "small", "operator", wire::hash(small_operator_key)},
          domain::CreateProject{small_project, ""},
          domain::Deposit{small_project, yuan(1'000'000), "a grant"}, start};
}

/// Wants `cores` cores for at most a minute, and runs again when its site loses it if `retries`.
inline domain::SubmitJob small_job(std::int64_t cores = 1, bool retries = false) {
  JobSpec spec;
  spec.name = "small";
  spec.project = ProjectId{1};
  spec.alternatives.push_back({});
  spec.cpu_milli.least = cores * 1000;
  spec.max_duration = minutes(1);
  spec.payload = PayloadId{1};
  if (retries) {
    spec.retry.on_site_lost = true;
    spec.retry.duration = hours(1);
  }
  return {spec, 1, {}};
}

inline identity::Principal small_operator() {
  return {UserId{1}, identity::Role::operator_};
}

/// The core of the small domain, driven step by step over a journal in memory. Notes what leaves
/// and in which order; nobody runs its attempts.
class SmallDomain : public Outlet {
 public:
  explicit SmallDomain(journal::MemoryDisk& on, CoreOptions options = {})
      : disk(on), journal(on), epoch(*journal.claim_leadership()) {
    auto state = replay(journal);
    EXPECT_TRUE(state);
    const bool is_new = state->essence().domain.empty();
    core.emplace(std::move(*state), journal, epoch, clock, *this, options);
    if (!is_new) return;
    for (domain::Command& command : small_beginnings()) put(std::move(command));
    settle();
    left.clear();
    batches.clear();
  }

  /// A request of the operator, under an id of its own.
  domain::Caller caller(std::uint64_t number, std::uint8_t body = 0) {
    const auto id = make_request_id(clock.now().us / 1000, 1, number);
    return {small_operator(), id, Digest{{body}}};
  }

  /// Puts a command in; the n-th one's answer will be `answers[n]`.
  std::size_t put(domain::Command command, domain::Caller caller = {small_operator(), {}, {}}) {
    const std::size_t number = answers.size();
    answers.emplace_back();
    Request request{.command = std::move(command), .caller = caller, .payloads = {}, .reply = {}};
    if (std::holds_alternative<domain::SubmitJob>(request.command)) request.payloads = {"payload"};
    request.reply = [this, number](const Reply& reply) {
      EXPECT_FALSE(answers[number].has_value()) << "a second answer";
      answers[number] = reply;
      left.push_back(reply ? "answer" : "refusal");
    };
    requests.push_back(std::move(request));
    return number;
  }

  Result<void> step() { return core->step(requests); }

  /// Steps until nothing is to be done at this moment.
  void settle() {
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(step());
      const auto next = core->next_step();
      if (requests.empty() && (!next || *next > clock.now())) return;
    }
    FAIL() << "it never comes to rest";
  }

  /// What its engine would say of the latest attempt of a task.
  void report(JobId job, AttemptState state, AttemptEnd end = AttemptEnd::none) {
    Progress progress;
    progress.key = {job, 0, core->state().jobs().find(job)->units.front().attempt};
    progress.state = state;
    progress.end = end;
    put(domain::Report{progress});
    settle();
  }

  std::uint64_t count(std::string_view what) const {
    std::uint64_t found = 0;
    for (const std::string& each : left) found += each == what;
    return found;
  }

  void on_effect(const domain::Effect&) override { left.push_back("effect"); }
  void on_durable(std::shared_ptr<const DurableBatch> batch) override {
    EXPECT_EQ(batch->head, journal.head());
    left.push_back("durable");
    batches.push_back(std::move(batch));
  }

  journal::MemoryDisk& disk;
  FillableJournal journal;
  std::uint64_t epoch;
  HandClock clock;
  std::optional<Core> core;
  std::vector<Request> requests;
  std::vector<std::optional<Reply>> answers;
  std::vector<std::string> left;  // answer, refusal, effect, durable.
  std::vector<std::shared_ptr<const DurableBatch>> batches;
};

}  // namespace suan::runtime
