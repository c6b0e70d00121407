#include "history/history.h"

#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "journal/sqlite_database.h"
#include "testing/small_domain.h"
#include "testing/temporary_directory.h"

namespace suan::history {
namespace {

using runtime::small_job;
using runtime::SmallDomain;

constexpr Span patience = seconds(10);

// All rows of all tables, and the cursor, as text.
std::vector<std::string> dump(const std::string& path) {
  constexpr std::array<std::pair<const char*, int>, 8> tables{{{"cursor", 3},
                                                               {"jobs", 25},
                                                               {"wishes", 3},
                                                               {"units", 7},
                                                               {"attempts", 17},
                                                               {"holds", 3},
                                                               {"postings", 12},
                                                               {"charges", 12}}};
  std::vector<std::string> rows;
  auto database = journal::Database::open(path, journal::Database::Access::read, "");
  EXPECT_TRUE(database);
  for (const auto& [table, columns] : tables) {
    auto statement = (*database)->prepare(("SELECT * FROM " + std::string(table)).c_str());
    EXPECT_TRUE(statement);
    while (*statement->step()) {
      std::string row = table;
      for (int i = 0; i < columns; ++i) row += "|" + std::string(statement->bytes(i));
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

// What another process finds after this one was killed at this moment.
void copy_database(const std::string& from, const std::string& to) {
  for (const char* end : {"", "-wal"}) {
    std::ifstream in(from + end, std::ios::binary);
    if (in) std::ofstream(to + end, std::ios::binary) << in.rdbuf();
  }
}

// Jobs of every kind of end, some under way and some gone from hot state.
void live(SmallDomain& domain) {
  for (std::uint64_t i = 1; i <= 30; ++i) {
    domain.put(small_job(1 + static_cast<std::int64_t>(i % 2), i % 3 == 0), domain.caller(i));
    domain.settle();
    const JobId job{i};
    if (i % 7 != 0) domain.report(job, AttemptState::running);
    domain.clock.pass(seconds(7));
    if (i % 3 == 0) {  // Its first attempt is lost, and after a while it runs again.
      domain.report(job, AttemptState::ended, AttemptEnd::lost);
      domain.clock.pass(minutes(5));
      domain.settle();
      domain.report(job, AttemptState::running);
    }
    if (i % 5 == 0) domain.put(domain::StopJob{job}, domain.caller(100 + i));
    const AttemptEnd end = i % 5 == 0 ? AttemptEnd::cancelled : AttemptEnd::exited;
    if (i < 29) domain.report(job, AttemptState::ended, i % 4 == 0 ? AttemptEnd::signalled : end);
    if (i % 10 == 0) domain.clock.pass(hours(2));
  }
  domain.settle();
}

struct Scene {
  TemporaryDirectory directory;
  journal::MemoryDisk disk;
  SmallDomain domain{disk};

  std::string path(const std::string& name) { return directory.path() + "/" + name; }

  std::unique_ptr<History> open(const std::string& name) {
    auto history = open_history(path(name), domain.journal);
    EXPECT_TRUE(history);
    return std::move(*history);
  }

  void write_all(History& history) {
    EXPECT_TRUE(history.wait_for(domain.journal.head().sequence, patience));
    history.stop();
  }
};

TEST(History, MadeFromTheJournalIsTheOneThatWasFed) {
  Scene scene;
  const auto fed = scene.open("fed");
  ASSERT_TRUE(fed->wait_for(scene.domain.journal.head().sequence, patience));
  live(scene.domain);
  for (const auto& batch : scene.domain.batches) {
    fed->feed(batch);
    ASSERT_TRUE(fed->wait_for(batch->head.sequence, patience));
  }
  scene.write_all(*fed);
  scene.write_all(*scene.open("made"));
  const auto rows = dump(scene.path("fed"));
  EXPECT_GT(rows.size(), 150U);
  EXPECT_EQ(dump(scene.path("made")), rows);
}

TEST(History, GoesOnWhereACrashLeftIt) {
  Scene scene;
  const auto fed = scene.open("fed");
  live(scene.domain);
  std::vector<std::string> left;
  for (std::size_t i = 0; i < scene.domain.batches.size(); ++i) {
    const auto& batch = scene.domain.batches[i];
    fed->feed(batch);
    if (i % 20 != 0) continue;
    ASSERT_TRUE(fed->wait_for(batch->head.sequence, patience));
    left.push_back(scene.path("left-" + std::to_string(i)));
    copy_database(scene.path("fed"), left.back());
  }
  scene.write_all(*fed);
  const auto rows = dump(scene.path("fed"));
  ASSERT_GE(left.size(), 4U);
  for (const std::string& path : left) {
    auto again = open_history(path, scene.domain.journal);
    ASSERT_TRUE(again);
    scene.write_all(**again);
    EXPECT_EQ(dump(path), rows) << path;
  }
}

TEST(History, WhatItWasNotFedItReadsFromTheJournal) {
  Scene scene;
  const auto fed = scene.open("fed");
  ASSERT_TRUE(fed->wait_for(scene.domain.journal.head().sequence, patience));
  live(scene.domain);
  fed->feed(scene.domain.batches.back());
  scene.write_all(*fed);
  scene.write_all(*scene.open("made"));
  EXPECT_EQ(dump(scene.path("fed")), dump(scene.path("made")));
}

TEST(History, OfAnotherJournalIsMadeAgain) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/history";
  journal::MemoryDisk longer;
  {
    SmallDomain domain(longer);
    live(domain);
    auto history = open_history(path, domain.journal);
    ASSERT_TRUE((*history)->wait_for(domain.journal.head().sequence, patience));
    (*history)->stop();
  }
  journal::MemoryDisk shorter;
  SmallDomain domain(shorter);
  auto history = open_history(path, domain.journal);
  ASSERT_TRUE(history);
  ASSERT_TRUE((*history)->wait_for(domain.journal.head().sequence, patience));
  EXPECT_EQ((*history)->sequence(), domain.journal.head().sequence);
  EXPECT_FALSE((*history)->job(JobId{1})->has_value());
}

TEST(History, DamagedIsMadeAgain) {
  Scene scene;
  live(scene.domain);
  scene.write_all(*scene.open("good"));
  std::ofstream(scene.path("bad"), std::ios::binary) << std::string(100'000, 'x');
  scene.write_all(*scene.open("bad"));
  EXPECT_EQ(dump(scene.path("bad")), dump(scene.path("good")));
}

TEST(History, KeepsEveryAttempt) {
  Scene scene;
  live(scene.domain);
  const auto history = scene.open("history");
  ASSERT_TRUE(history->wait_for(scene.domain.journal.head().sequence, patience));
  const auto attempts = history->attempts(JobId{3});
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), 2U);
  EXPECT_EQ((*attempts)[0].end, AttemptEnd::lost);
  EXPECT_EQ((*attempts)[1].end, AttemptEnd::exited);
}

TEST(History, FiltersPageOverAllThatMatchAndNothingElse) {
  Scene scene;
  live(scene.domain);
  scene.domain.clock.pass(hours(3));
  scene.domain.settle();
  const auto history = scene.open("history");
  ASSERT_TRUE(history->wait_for(scene.domain.journal.head().sequence, patience));
  const auto all = history->evicted_jobs(
      {.projects = {}, .job = {}, .user = {}, .outcome = {}, .before = 0, .limit = 500});
  ASSERT_TRUE(all);
  ASSERT_GE(all->size(), 20U);
  for (const auto outcome :
       {jobs::Outcome::finished, jobs::Outcome::failed, jobs::Outcome::cancelled}) {
    std::vector<JobId> wanted;
    for (const JobRow& row : *all) {
      if (row.outcome == outcome) wanted.push_back(row.id);
    }
    std::vector<JobId> paged;
    Filter filter{.projects = {ProjectId{1}, ProjectId{2}},
                  .job = {},
                  .user = UserId{1},
                  .outcome = outcome,
                  .before = 0,
                  .limit = 2};
    while (true) {
      const auto page = history->evicted_jobs(filter);
      ASSERT_TRUE(page);
      if (page->empty()) break;
      for (const JobRow& row : *page) paged.push_back(row.id);
      filter.before = page->back().id.value;
    }
    EXPECT_EQ(paged, wanted);
    filter.before = 0;
    filter.user = UserId{2};
    EXPECT_TRUE(history->evicted_jobs(filter)->empty());
  }
}

}  // namespace
}  // namespace suan::history
