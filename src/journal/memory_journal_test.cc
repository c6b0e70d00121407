#include "journal/memory_journal.h"

#include "testing/property.h"

namespace suan::journal {
namespace {

using Kind = Failure::Kind;

Batch one(const char* text) {
  Batch batch;
  batch.add({1}, text);
  return batch;
}

TEST(MemoryJournal, NoSpaceChangesNothingAndMayBeRetried) {
  MemoryDisk disk;
  MemoryJournal journal(disk);
  const auto epoch = journal.claim_leadership().value();
  disk.fail_next_append(AppendFault::no_space);
  EXPECT_EQ(journal.append(0, epoch, one("a")).error().kind, Kind::no_space);
  EXPECT_EQ(journal.head(), Head{});
  EXPECT_TRUE(journal.append(0, epoch, one("a")).has_value());
}

TEST(MemoryJournal, AnUncertainAppendEitherHappenedOrDidNot) {
  int happened = 0;
  for_each_seed(
      [&](Random& random) {
        MemoryDisk disk;
        MemoryJournal journal(disk);
        const auto epoch = journal.claim_leadership().value();
        journal.append(0, epoch, one("a")).value();
        disk.fail_next_append(AppendFault::io);
        EXPECT_EQ(journal.append(1, epoch, one("b")).error().kind, Kind::io);
        EXPECT_EQ(journal.append(1, epoch, one("b")).error().kind, Kind::io);
        disk.crash(random);
        const MemoryJournal next(disk);
        ASSERT_GE(next.head().sequence, 1U);
        ASSERT_LE(next.head().sequence, 2U);
        happened += next.head().sequence == 2;
      },
      100);
  EXPECT_GT(happened, 20);
  EXPECT_LT(happened, 80);
}

TEST(MemoryJournal, ACrashStopsBeforeOrAfterTheAppend) {
  for (const auto fault : {AppendFault::crash_before, AppendFault::crash_after}) {
    MemoryDisk disk;
    MemoryJournal journal(disk);
    const auto epoch = journal.claim_leadership().value();
    disk.fail_next_append(fault);
    EXPECT_EQ(journal.append(0, epoch, one("a")).error().kind, Kind::io);
    EXPECT_EQ(journal.follow(1, 1).error().kind, Kind::io);
    EXPECT_EQ(MemoryJournal(disk).head().sequence, fault == AppendFault::crash_after ? 1U : 0U);
  }
}

TEST(MemoryJournal, SyncedAppendsSurviveAndAPrefixOfTheOthers) {
  for_each_seed([](Random& random) {
    MemoryDisk disk;
    disk.set_sync_by_hand(true);
    MemoryJournal journal(disk);
    const auto epoch = journal.claim_leadership().value();
    Head synced;
    std::vector<Head> heads{Head{}};
    for (int i = 0; i < 10; ++i) {
      Batch batch = one("x");
      batch.add_blob(heads.size(), "blob");
      heads.push_back(journal.append(heads.back().sequence, epoch, batch).value());
      if (random.chance(1, 4)) {
        disk.sync();
        synced = heads.back();
      }
      EXPECT_EQ(journal.follow(1, 100)->size(), synced.sequence);
    }
    disk.crash(random);
    EXPECT_EQ(journal.append(10, epoch, one("y")).error().kind, Kind::io);
    MemoryJournal next(disk);
    EXPECT_GE(next.head().sequence, synced.sequence);
    EXPECT_EQ(next.head(), heads[next.head().sequence]);
    EXPECT_EQ(next.follow(1, 100)->size(), next.head().sequence);
    for (std::uint64_t id = 1; id <= 10; ++id)
      EXPECT_EQ(next.read_blob(id).has_value(), id <= next.head().sequence);
  });
}

TEST(MemoryJournal, TwoServersOnOneDiskCannotBothAppend) {
  MemoryDisk disk;
  MemoryJournal first(disk);
  MemoryJournal second(disk);
  const auto old = first.claim_leadership().value();
  first.append(0, old, one("a")).value();
  const auto next = second.claim_leadership().value();
  EXPECT_EQ(first.append(1, old, one("b")).error().kind, Kind::conflict);
  EXPECT_TRUE(second.append(1, next, one("c")).has_value());
  EXPECT_EQ(first.follow(1, 10)->size(), 2U);
}

TEST(MemoryJournal, AFlippedBitIsNeverReadAsARecord) {
  for_each_seed([](Random& random) {
    MemoryDisk disk;
    MemoryJournal journal(disk);
    const auto epoch = journal.claim_leadership().value();
    for (std::uint64_t i = 0; i < 5; ++i) journal.append(i, epoch, one("text")).value();
    disk.flip_bit(3, random);
    EXPECT_EQ(journal.follow(1, 100).error().kind, Kind::invalid);
    EXPECT_EQ(journal.follow(4, 100)->size(), 2U);
  });
}

}  // namespace
}  // namespace suan::journal
