// What every Journal promises, asked of each of them.
#include <memory>

#include "journal/chain.h"
#include "journal/memory_journal.h"
#include "journal/scratch.h"
#include "journal/sqlite_journal.h"
#include "testing/property.h"

namespace suan::journal {
namespace {

using Kind = Failure::Kind;

/// Somewhere to store, on which one journal after the other is opened.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual std::unique_ptr<Journal> open() = 0;
};

class InMemory : public Storage {
 public:
  std::unique_ptr<Journal> open() override { return std::make_unique<MemoryJournal>(disk_); }

 private:
  MemoryDisk disk_;
};

class InSqlite : public Storage {
 public:
  std::unique_ptr<Journal> open() override {
    auto opened = SqliteJournal::open({.directory = scratch_.path(), .vfs = ""});
    if (!opened) ADD_FAILURE() << opened.error().text;
    return opened ? *std::move(opened) : nullptr;
  }

 private:
  Scratch scratch_;
};

struct Backend {
  const char* name;
  std::unique_ptr<Storage> (*make)();
};

class Contract : public testing::TestWithParam<Backend> {
 protected:
  Contract() : storage_(GetParam().make()), journal_(storage_->open()) {
    epoch_ = journal_->claim_leadership().value();
  }

  void reopen() {
    journal_.reset();
    journal_ = storage_->open();
    epoch_ = journal_->claim_leadership().value();
  }

  Result<Head> append(const Batch& batch) {
    return journal_->append(journal_->head().sequence, epoch_, batch);
  }

  std::unique_ptr<Storage> storage_;
  std::unique_ptr<Journal> journal_;
  std::uint64_t epoch_ = 0;
};

Batch batch_of(std::initializer_list<const char*> texts) {
  Batch batch;
  std::int64_t us = 1'000;
  for (const char* text : texts) batch.add({us++}, text);
  return batch;
}

TEST_P(Contract, AnEmptyJournalHasNothing) {
  EXPECT_EQ(journal_->head(), Head{});
  EXPECT_TRUE(journal_->follow(1, 10)->empty());
  EXPECT_FALSE(journal_->read_snapshot()->has_value());
  EXPECT_EQ(journal_->read_blob(1).error().kind, Kind::not_found);
  EXPECT_TRUE(journal_->delete_blob(1).has_value());
  EXPECT_GT(*journal_->free_bytes(), 0U);
}

TEST_P(Contract, WhatWasAppendedIsReadInOrderAlsoAfterReopening) {
  ASSERT_TRUE(append(batch_of({"a", "b"})).has_value());
  ASSERT_TRUE(append(batch_of({""})).has_value());
  const auto head = append(batch_of({"d", "e", "f"}));
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->sequence, 6U);
  EXPECT_EQ(head->moment, (Moment{1'002}));

  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(journal_->head(), *head);
    const auto all = journal_->follow(1, 100);
    ASSERT_TRUE(all.has_value());
    ASSERT_EQ(all->size(), 6U);
    const char* texts[] = {"a", "b", "", "d", "e", "f"};
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ((*all)[i].sequence, i + 1);
      EXPECT_EQ((*all)[i].bytes, texts[i]);
    }
    const auto middle = journal_->follow(2, 3);
    ASSERT_EQ(middle->size(), 3U);
    EXPECT_EQ(middle->front(), (*all)[1]);
    EXPECT_EQ(middle->back(), (*all)[3]);
    EXPECT_TRUE(journal_->follow(7, 3)->empty());
    EXPECT_TRUE(journal_->follow(UINT64_MAX, 3)->empty());
    EXPECT_TRUE(journal_->follow(1, 0)->empty());
    reopen();
  }
}

TEST_P(Contract, TheHashIsThatOfTheChain) {
  const Batch first = batch_of({"a", "b"});
  const Batch second = batch_of({"c"});
  append(first).value();
  append(second).value();
  EXPECT_EQ(journal_->head(), extend(extend(Head{}, first.encoded()), second.encoded()));
}

TEST_P(Contract, AnAppendElsewhereThanAtTheEndIsAConflict) {
  append(batch_of({"a", "b"})).value();
  for (const std::uint64_t expected : {0U, 1U, 3U}) {
    const auto refused = journal_->append(expected, epoch_, batch_of({"x"}));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, Kind::conflict);
  }
  EXPECT_EQ(journal_->head().sequence, 2U);
  EXPECT_TRUE(append(batch_of({"c"})).has_value());
}

TEST_P(Contract, ADeposedLeaderIsRefused) {
  const std::uint64_t old = epoch_;
  const std::uint64_t next = journal_->claim_leadership().value();
  EXPECT_GT(next, old);
  EXPECT_EQ(journal_->append(0, old, batch_of({"x"})).error().kind, Kind::conflict);
  EXPECT_EQ(journal_->append(0, next + 1, batch_of({"x"})).error().kind, Kind::conflict);
  EXPECT_TRUE(journal_->append(0, next, batch_of({"x"})).has_value());
  reopen();
  EXPECT_GT(epoch_, next);
}

TEST_P(Contract, ABatchOfNoRecordIsRefused) {
  EXPECT_EQ(append(Batch{}).error().kind, Kind::invalid);
  Batch only_blob;
  only_blob.add_blob(1, "x");
  EXPECT_EQ(append(only_blob).error().kind, Kind::invalid);
  EXPECT_EQ(journal_->read_blob(1).error().kind, Kind::not_found);
}

TEST_P(Contract, ABlobIsReadBackUntilItIsDeleted) {
  Batch batch = batch_of({"a"});
  const std::string large(100'000, 'z');
  batch.add_blob(7, "secret");
  batch.add_blob(8, large);
  batch.add_blob(9, "");
  append(batch).value();
  reopen();
  EXPECT_EQ(journal_->read_blob(7).value(), "secret");
  EXPECT_EQ(journal_->read_blob(8).value(), large);
  EXPECT_EQ(journal_->read_blob(9).value(), "");
  ASSERT_TRUE(journal_->delete_blob(7).has_value());
  ASSERT_TRUE(journal_->delete_blob(7).has_value());
  EXPECT_EQ(journal_->read_blob(7).error().kind, Kind::not_found);
  reopen();
  EXPECT_EQ(journal_->read_blob(7).error().kind, Kind::not_found);
  EXPECT_EQ(journal_->read_blob(8).value(), large);
}

TEST_P(Contract, ABlobIdIsUsedOnceAndARefusedBatchLeavesNothing) {
  Batch first = batch_of({"a"});
  first.add_blob(7, "one");
  append(first).value();
  Batch again = batch_of({"b"});
  again.add_blob(8, "two");
  again.add_blob(7, "other");
  EXPECT_EQ(append(again).error().kind, Kind::conflict);
  EXPECT_EQ(journal_->head().sequence, 1U);
  EXPECT_EQ(journal_->read_blob(8).error().kind, Kind::not_found);
  EXPECT_EQ(journal_->read_blob(7).value(), "one");

  journal_->delete_blob(7).value();
  EXPECT_EQ(append(again).error().kind, Kind::conflict);
  Batch twice = batch_of({"b"});
  twice.add_blob(9, "x");
  twice.add_blob(9, "x");
  EXPECT_EQ(append(twice).error().kind, Kind::conflict);
  EXPECT_TRUE(append(batch_of({"b"})).has_value());
}

TEST_P(Contract, TheNewestSnapshotIsRead) {
  append(batch_of({"a", "b", "c"})).value();
  EXPECT_EQ(journal_->write_snapshot(4, "early").error().kind, Kind::invalid);
  ASSERT_TRUE(journal_->write_snapshot(0, "nothing").has_value());
  ASSERT_TRUE(journal_->write_snapshot(2, "two").has_value());
  EXPECT_EQ(journal_->read_snapshot().value()->sequence, 2U);
  const auto large = journal_->write_snapshot(3, std::string(3'000'000, 's'));
  ASSERT_TRUE(large.has_value()) << large.error().text;
  ASSERT_TRUE(journal_->write_snapshot(3, "three").has_value());
  for (int round = 0; round < 2; ++round) {
    const auto snapshot = journal_->read_snapshot();
    ASSERT_TRUE(snapshot.has_value() && snapshot->has_value());
    EXPECT_EQ((*snapshot)->sequence, 3U);
    EXPECT_EQ((*snapshot)->bytes, "three");
    reopen();
  }
}

TEST_P(Contract, FollowIsBoundedInBytesButAlwaysMoves) {
  Batch batch;
  for (int i = 0; i < 4; ++i) batch.add({1}, std::string(5U << 20U, 'x'));
  append(batch).value();
  std::uint64_t from = 1;
  int answers = 0;
  while (from <= 4) {
    const auto some = journal_->follow(from, 100);
    ASSERT_TRUE(some.has_value());
    ASSERT_FALSE(some->empty());
    EXPECT_LE(some->size(), 2U);
    EXPECT_EQ(some->front().sequence, from);
    from += some->size();
    ++answers;
  }
  EXPECT_EQ(answers, 2);
}

TEST_P(Contract, AnyHistoryReadsBack) {
  for_each_seed(
      [this](Random& random) {
        auto storage = GetParam().make();
        auto journal = storage->open();
        std::uint64_t epoch = journal->claim_leadership().value();
        std::vector<Record> expected;
        std::map<std::uint64_t, std::string> blobs;
        for (int step = 0; step < 30; ++step) {
          Batch batch;
          for (auto count = random.between(1, 8); count > 0; --count) {
            const Record record{expected.size() + 1,
                                {random.between(0, 1'000)},
                                std::string(random.below(9'000U), 'r')};
            batch.add(record.moment, record.bytes);
            expected.push_back(record);
          }
          if (random.chance(1, 3)) {
            const std::uint64_t id = 1'000U + static_cast<std::uint64_t>(step);
            blobs[id] = std::string(random.below(9'000U), 'b');
            batch.add_blob(id, blobs[id]);
          }
          const auto head = journal->append(journal->head().sequence, epoch, batch);
          ASSERT_TRUE(head.has_value()) << head.error().text;
          if (random.chance(1, 5) && !blobs.empty()) {
            ASSERT_TRUE(journal->delete_blob(blobs.begin()->first).has_value());
            blobs.erase(blobs.begin());
          }
          if (random.chance(1, 10)) {
            journal.reset();
            journal = storage->open();
            epoch = journal->claim_leadership().value();
          }
        }
        std::vector<Record> read;
        while (read.size() < expected.size()) {
          const auto some = journal->follow(read.size() + 1, 1 + random.below(std::size_t{20}));
          ASSERT_TRUE(some.has_value() && !some->empty());
          read.insert(read.end(), some->begin(), some->end());
        }
        EXPECT_EQ(read, expected);
        for (const auto& [id, bytes] : blobs) EXPECT_EQ(journal->read_blob(id).value(), bytes);
      },
      20);
}

INSTANTIATE_TEST_SUITE_P(
    Journals, Contract,
    testing::Values(Backend{"memory", [] { return std::unique_ptr<Storage>(new InMemory); }},
                    Backend{"sqlite", [] { return std::unique_ptr<Storage>(new InSqlite); }}),
    [](const auto& backend) { return std::string(backend.param.name); });

}  // namespace
}  // namespace suan::journal
