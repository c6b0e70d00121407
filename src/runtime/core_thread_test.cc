#include "runtime/core_thread.h"

#include <chrono>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "testing/small_domain.h"

namespace suan::runtime {
namespace {

using domain::Code;
using std::chrono::milliseconds;

// The small domain on a thread, its journal full when a test says so.
struct Threaded {
  journal::MemoryDisk disk;
  SmallDomain domain{disk};
  std::promise<Failure> fatal;
  CoreThread thread;

  explicit Threaded(std::size_t inbox_max = 1024)
      : thread(*domain.core, inbox_max,
               [this](const Failure& failure) { fatal.set_value(failure); }) {}

  std::future<Reply> put(domain::Command command, domain::Caller caller) {
    auto said = std::make_shared<std::promise<Reply>>();
    Request request{.command = std::move(command), .caller = caller, .payloads = {}, .reply = {}};
    if (std::holds_alternative<domain::SubmitJob>(request.command)) request.payloads = {"payload"};
    request.reply = [said](const Reply& reply) { said->set_value(reply); };
    EXPECT_TRUE(thread.put(request));
    return said->get_future();
  }

  std::future<Reply> submit(std::uint64_t number) {
    return put(small_job(), domain.caller(number));
  }
};

TEST(CoreThread, AnswersWhatIsPutIn) {
  Threaded domain;
  EXPECT_EQ(domain.submit(1).get()->id, "job-1");
  EXPECT_EQ(domain.submit(1).get()->id, "job-1");
  EXPECT_EQ(domain.submit(2).get()->id, "job-2");
  domain.thread.stop();
  EXPECT_EQ(domain.thread.counts().repeated, 1U);
  Request late{.command = small_job(), .caller = {}, .payloads = {}, .reply = {}};
  EXPECT_FALSE(domain.thread.put(late));
}

TEST(CoreThread, WhatIsPutSilentlyIsTakenWhenItIsWoken) {
  Threaded domain;
  domain.submit(1).get();
  std::this_thread::sleep_for(milliseconds(50));  // It sleeps again, for up to a second.
  std::promise<void> answered;
  Request quiet{.command = small_job(),
                .caller = domain.domain.caller(2),
                .payloads = {"payload"},
                .reply = [&](const Reply&) { answered.set_value(); }};
  ASSERT_TRUE(domain.thread.put_silently(quiet));
  auto done = answered.get_future();
  EXPECT_EQ(done.wait_for(milliseconds(50)), std::future_status::timeout);
  domain.thread.wake();
  EXPECT_EQ(done.wait_for(milliseconds(800)), std::future_status::ready);
}

TEST(CoreThread, AFullInboxTakesNoMore) {
  std::promise<void> go_on;
  Threaded domain(2);
  std::promise<void> has_begun;
  Request slow{.command = small_job(),
               .caller = domain.domain.caller(1),
               .payloads = {"payload"},
               .reply = [&](const Reply&) {
                 has_begun.set_value();
                 go_on.get_future().wait();
               }};
  ASSERT_TRUE(domain.thread.put(slow));
  has_begun.get_future().wait();
  auto one = domain.submit(2);
  auto two = domain.submit(3);
  int answers = 0;
  Request over{.command = small_job(),
               .caller = domain.domain.caller(4),
               .payloads = {"payload"},
               .reply = [&](const Reply&) { ++answers; }};
  EXPECT_FALSE(domain.thread.put(over));
  EXPECT_TRUE(over.reply);  // Unchanged.
  EXPECT_EQ(domain.thread.inbox_size(), 2U);
  go_on.set_value();
  EXPECT_TRUE(one.get());
  EXPECT_TRUE(two.get());
  EXPECT_TRUE(domain.thread.put(over));
  domain.thread.stop();
  EXPECT_EQ(answers, 1);
}

TEST(CoreThread, WhatNobodyWaitsForIsTakenAllTheSame) {
  Threaded domain(8);
  std::promise<bool> is_taken;
  Request patient{.command = domain::Deposit{small_project, yuan(1), ""},
                  .caller = {small_operator(), {}, {}},
                  .payloads = {},
                  .reply = [&](const Reply& reply) { is_taken.set_value(reply.has_value()); }};
  domain.thread.put_patiently(std::move(patient));
  EXPECT_TRUE(is_taken.get_future().get());  // Though nothing else comes.
  domain.thread.put_patiently({.command = domain::Deposit{small_project, yuan(2), ""},
                               .caller = {small_operator(), {}, {}},
                               .payloads = {},
                               .reply = {}});
  domain.thread.stop();
  EXPECT_EQ(domain.domain.batches.size(), 2U);
}

TEST(CoreThread, AFullDiskAnswersWithinItsLimitAndGoesOnWhenThereIsRoom) {
  Threaded domain;
  domain.domain.journal.set_full(true);
  auto kept = domain.submit(1);
  while (!domain.thread.is_stuck()) std::this_thread::sleep_for(milliseconds(1));
  for (std::uint64_t number : {1U, 2U, 3U}) {
    auto refused = domain.submit(number);
    ASSERT_EQ(refused.wait_for(milliseconds(1000)), std::future_status::ready);
    EXPECT_EQ(refused.get().error().code, Code::journal_full);
  }
  ASSERT_EQ(kept.wait_for(CoreThread::outcome_told_after + milliseconds(1500)),
            std::future_status::ready);
  EXPECT_EQ(kept.get().error().code, Code::outcome_unknown);

  auto report = domain.put(domain::CreateProject{"of-the-process", ""}, {small_operator(), {}, {}});
  domain.domain.journal.set_full(false);
  EXPECT_TRUE(report.get());
  EXPECT_FALSE(domain.thread.is_stuck());
  const Reply again = domain.submit(1).get();
  EXPECT_EQ(again->id, "job-1");
  EXPECT_EQ(domain.submit(1).get()->sequence, again->sequence);
  domain.thread.stop();
  EXPECT_EQ(domain.domain.core->state().jobs().all().size(), 1U);
}

TEST(CoreThread, StoppingOnAFullDiskAnswersEverybody) {
  Threaded domain;
  domain.domain.journal.set_full(true);
  auto kept = domain.submit(1);
  while (!domain.thread.is_stuck()) std::this_thread::sleep_for(milliseconds(1));
  domain.thread.stop();
  EXPECT_EQ(kept.get().error().code, Code::outcome_unknown);
}

TEST(CoreThread, AnUncertainAppendIsFatal) {
  Threaded domain;
  domain.disk.fail_next_append(journal::AppendFault::io);
  auto never = domain.submit(1);
  EXPECT_EQ(domain.fatal.get_future().get().kind, Failure::Kind::io);
  EXPECT_EQ(never.wait_for(milliseconds(0)), std::future_status::timeout);
}

}  // namespace
}  // namespace suan::runtime
