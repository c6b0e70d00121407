#include "journal/sqlite_journal.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/scratch.h"
#include "journal/sealed_blob.h"
#include "testing/property.h"

namespace suan::journal {
namespace {

using Kind = Failure::Kind;

std::unique_ptr<SqliteJournal> open_in(const std::string& directory) {
  auto opened = SqliteJournal::open({.directory = directory});
  if (!opened) ADD_FAILURE() << opened.error().text;
  return opened ? *std::move(opened) : nullptr;
}

Batch one(std::string_view text) {
  Batch batch;
  batch.add({1}, text);
  return batch;
}

void change(const std::string& path, const char* sql) {
  auto database = Database::open(path, Database::Access::write, "").value();
  const auto changed = database->execute(sql);
  ASSERT_TRUE(changed.has_value()) << changed.error().text;
}

std::string all_bytes(const Scratch& scratch) {
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
    if (!entry.path().string().ends_with("-shm")) bytes += read_whole(entry.path().string());
  return bytes;
}

TEST(SqliteJournal, ASecondOpeningIsRefusedByName) {
  const Scratch scratch;
  auto first = open_in(scratch.path());
  const auto second = SqliteJournal::open({.directory = scratch.path()});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, Kind::conflict);
  EXPECT_EQ(second.error().text,
            "another process serves this journal (process " + std::to_string(::getpid()) + ")");
  first.reset();
  EXPECT_NE(open_in(scratch.path()), nullptr);
}

TEST(SqliteJournal, AProcessStartedFromHereDoesNotKeepTheLock) {
  const Scratch scratch;
  auto journal = open_in(scratch.path());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::execl("/bin/sleep", "sleep", "30", nullptr);
    ::_exit(127);
  }
  // Until it has executed, the child has a copy of the lock; then it must not.
  while (std::filesystem::read_symlink("/proc/" + std::to_string(child) + "/exe") ==
         std::filesystem::read_symlink("/proc/self/exe"))
    std::this_thread::yield();
  journal.reset();
  EXPECT_NE(open_in(scratch.path()), nullptr);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(SqliteJournal, OnlyTheOwnerMayRead) {
  const Scratch scratch;
  const std::string directory = scratch / "made/here";
  auto journal = open_in(directory);
  journal->append(0, journal->claim_leadership().value(), one("a")).value();
  journal->write_snapshot(1, "state").value();
  struct stat status;
  ASSERT_EQ(::stat(directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 5);
}

TEST(SqliteJournal, AStrangersFileIsRefused) {
  const Scratch scratch;
  const auto refusal = [&] {
    const auto opened = SqliteJournal::open({.directory = scratch.path()});
    return opened ? Kind::conflict : opened.error().kind;
  };
  change(scratch / "journal.db", "CREATE TABLE other(x); PRAGMA user_version=1");
  EXPECT_EQ(refusal(), Kind::unsupported);
  write_whole(scratch / "journal.db", std::string(10'000, 'x'));
  EXPECT_EQ(refusal(), Kind::invalid);
  std::filesystem::remove(scratch / "journal.db");
  open_in(scratch.path()).reset();
  change(scratch / "journal.db", "PRAGMA user_version=2");
  EXPECT_EQ(refusal(), Kind::unsupported);
}

TEST(SqliteJournal, ADamagedEndIsNotOpened) {
  const char* damages[] = {
      "UPDATE batches SET bytes = zeroblob(length(bytes)) WHERE first_sequence = 3",
      "UPDATE batches SET hash = zeroblob(32) WHERE first_sequence = 3",
      "UPDATE batches SET hash = x'00' WHERE first_sequence = 3",
      "UPDATE batches SET count = 2 WHERE first_sequence = 3",
      "UPDATE batches SET count = -1 WHERE first_sequence = 3",
      "DELETE FROM batches WHERE first_sequence = 2",
      "UPDATE batches SET first_sequence = -5 WHERE first_sequence = 3; DELETE FROM batches"
      " WHERE first_sequence > 0",
      "UPDATE batches SET first_sequence = 9223372036854775807 WHERE first_sequence = 3",
  };
  for (const char* damage : damages) {
    const Scratch scratch;
    {
      auto journal = open_in(scratch.path());
      const auto epoch = journal->claim_leadership().value();
      for (std::uint64_t i = 0; i < 3; ++i) journal->append(i, epoch, one("text")).value();
    }
    change(scratch / "journal.db", damage);
    const auto opened = SqliteJournal::open({.directory = scratch.path()});
    ASSERT_FALSE(opened.has_value()) << damage;
    EXPECT_EQ(opened.error().kind, Kind::invalid) << damage;
  }
}

TEST(SqliteJournal, ADamagedMiddleIsNotRead) {
  const Scratch scratch;
  auto journal = open_in(scratch.path());
  const auto epoch = journal->claim_leadership().value();
  for (std::uint64_t i = 0; i < 5; ++i) journal->append(i, epoch, one("text")).value();
  change(scratch / "journal.db", "UPDATE batches SET hash = zeroblob(32) WHERE first_sequence = 3");
  EXPECT_EQ(journal->follow(1, 100).error().kind, Kind::invalid);
  EXPECT_EQ(journal->follow(5, 100)->size(), 1U);
  change(scratch / "journal.db", "DELETE FROM batches WHERE first_sequence = 3");
  EXPECT_EQ(journal->follow(1, 100).error().kind, Kind::invalid);
  EXPECT_EQ(journal->follow(4, 100).error().kind, Kind::invalid);
}

TEST(SqliteJournal, APrivateBlobIsNowhereInPlainAndADeletedKeyIsGone) {
  const Scratch scratch;
  auto journal = open_in(scratch.path());
  const auto epoch = journal->claim_leadership().value();
  std::vector<std::string> keys;
  for (std::uint64_t id = 1; id <= 40; ++id) {
    Batch batch = one("public words");
    batch.add_blob(id, "private words, several of them");
    journal->append(id - 1, epoch, batch).value();
  }
  {
    auto database = Database::open(scratch / "journal.db", Database::Access::read, "").value();
    auto select = database->prepare("SELECT key FROM blob_keys ORDER BY id").value();
    while (select.step().value()) keys.emplace_back(select.bytes(0));
  }
  ASSERT_EQ(keys.size(), 40U);
  EXPECT_NE(all_bytes(scratch).find("public words"), std::string::npos);
  EXPECT_EQ(all_bytes(scratch).find("private words"), std::string::npos);
  EXPECT_NE(all_bytes(scratch).find(keys[0]), std::string::npos);
  for (std::uint64_t id = 1; id <= 40; id += 2) journal->delete_blob(id).value();
  ASSERT_TRUE(journal->scrub().has_value());
  const std::string left = all_bytes(scratch);
  for (std::size_t i = 0; i < 40; ++i)
    EXPECT_EQ(left.find(keys[i]) != std::string::npos, i % 2 == 1) << i;
}

TEST(SqliteJournal, ManyDeletionsEmptyTheLogByThemselves) {
  const Scratch scratch;
  auto journal =
      SqliteJournal::open({.directory = scratch.path(), .vfs = "", .deletions_max = 3}).value();
  const auto epoch = journal->claim_leadership().value();
  for (std::uint64_t id = 1; id <= 3; ++id) {
    Batch batch = one("x");
    batch.add_blob(id, "y");
    journal->append(id - 1, epoch, batch).value();
  }
  for (std::uint64_t id = 1; id <= 3; ++id) {
    EXPECT_GT(std::filesystem::file_size(scratch / "journal.db-wal"), 0U);
    journal->delete_blob(id).value();
  }
  EXPECT_EQ(std::filesystem::file_size(scratch / "journal.db-wal"), 0U);
}

TEST(SqliteJournal, TheLogStaysBounded) {
  const Scratch scratch;
  auto journal =
      SqliteJournal::open({.directory = scratch.path(), .vfs = "", .log_pages_max = 20}).value();
  const auto epoch = journal->claim_leadership().value();
  const auto append_and_measure = [&](std::uint64_t before, bool is_tidy) {
    for (std::uint64_t i = before; i < before + 200; ++i) {
      journal->append(i, epoch, one(std::string(3'000, 'x'))).value();
      if (is_tidy) journal->tidy();
    }
    return std::filesystem::file_size(scratch / "journal.db-wal");
  };
  EXPECT_LT(append_and_measure(0, true), 40U * 4'200U);
  EXPECT_GT(std::filesystem::file_size(scratch / "journal.db"), 500'000U);
  EXPECT_LT(append_and_measure(200, false), 120U * 4'200U);  // Nobody had the time.
}

TEST(SqliteJournal, ADamagedSnapshotGivesWayToTheOlderOne) {
  const Scratch scratch;
  auto journal = open_in(scratch.path());
  const auto epoch = journal->claim_leadership().value();
  for (std::uint64_t i = 0; i < 4; ++i) journal->append(i, epoch, one("x")).value();
  journal->write_snapshot(1, "first").value();
  journal->write_snapshot(2, "second").value();
  journal->write_snapshot(4, "fourth").value();
  EXPECT_FALSE(std::filesystem::exists(scratch / "journal.db-snapshot1"));
  const std::string path = scratch / "journal.db-snapshot4";
  const std::string whole = read_whole(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_whole(path, whole.substr(0, size));
    ASSERT_EQ(journal->read_snapshot().value()->bytes, "second") << size;
  }
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] ^= static_cast<char>(1U << bit % 8);
    write_whole(path, flipped);
    ASSERT_EQ(journal->read_snapshot().value()->bytes, "second") << bit;
  }
  write_whole(path, whole + "x");
  EXPECT_EQ(journal->read_snapshot().value()->bytes, "second");
  write_whole(path, whole);
  EXPECT_EQ(journal->read_snapshot().value()->bytes, "fourth");
}

TEST(SqliteJournal, ASnapshotOfAnotherHistoryIsNotUsed) {
  const Scratch scratch;
  const Scratch other;
  auto journal = open_in(scratch.path());
  auto stranger = open_in(other.path());
  journal->append(0, journal->claim_leadership().value(), one("mine")).value();
  stranger->append(0, stranger->claim_leadership().value(), one("theirs")).value();
  stranger->write_snapshot(1, "their state").value();
  std::filesystem::copy(other / "journal.db-snapshot1", scratch / "journal.db-snapshot1");
  EXPECT_FALSE(journal->read_snapshot()->has_value());
}

TEST(SqliteJournal, AStrangersLockDelaysAndHarmsNothing) {
  const Scratch scratch;
  auto journal = open_in(scratch.path());
  const auto epoch = journal->claim_leadership().value();
  auto stranger = Database::open(scratch / "journal.db", Database::Access::write, "").value();
  ASSERT_TRUE(stranger->execute("BEGIN IMMEDIATE").has_value());
  EXPECT_EQ(journal->append(0, epoch, one("a")).error().kind, Kind::unavailable);
  ASSERT_TRUE(stranger->execute("ROLLBACK").has_value());
  EXPECT_TRUE(journal->append(0, epoch, one("a")).has_value());
}

TEST(SqliteJournal, AFollowerOnAnotherThreadSeesWholeBatchesInOrder) {
  const Scratch scratch;
  auto journal =
      SqliteJournal::open({.directory = scratch.path(), .vfs = "", .log_pages_max = 10}).value();
  const auto epoch = journal->claim_leadership().value();
  constexpr std::uint64_t batches = 150;
  std::atomic<bool> has_failed = false;
  std::thread follower([&] {
    std::uint64_t next = 1;
    while (next <= 3 * batches && !has_failed) {
      const auto records = journal->follow(next, 1'000);
      if (!records || (next + records->size() - 1) % 3 != 0) has_failed = true;
      if (!records) return;
      for (const Record& record : *records)
        if (record.sequence != next++ || record.bytes != std::to_string(record.sequence))
          has_failed = true;
    }
  });
  for (std::uint64_t i = 0; i < batches && !has_failed; ++i) {
    Batch batch;
    for (std::uint64_t k = 1; k <= 3; ++k) batch.add({1}, std::to_string(3 * i + k));
    if (!journal->append(3 * i, epoch, batch)) has_failed = true;
    if (i % 50 == 49 && !journal->write_snapshot(3 * i, "state")) has_failed = true;
  }
  follower.join();
  EXPECT_FALSE(has_failed);
}

TEST(SealedBlob, AnyChangeIsRefused) {
  const SealedBlob blob = seal_blob(5, "words");
  const std::string key(reinterpret_cast<const char*>(blob.key.data()), blob.key.size());
  EXPECT_EQ(open_blob(5, key, blob.sealed).value(), "words");
  EXPECT_FALSE(open_blob(6, key, blob.sealed).has_value());
  EXPECT_FALSE(open_blob(5, key.substr(1), blob.sealed).has_value());
  for (std::size_t i = 0; i < blob.sealed.size(); ++i) {
    std::string changed = blob.sealed;
    changed[i] ^= 1;
    EXPECT_FALSE(open_blob(5, key, changed).has_value());
    EXPECT_FALSE(open_blob(5, key, blob.sealed.substr(0, i)).has_value());
  }
  EXPECT_NE(seal_blob(5, "words").sealed, blob.sealed);
}

}  // namespace
}  // namespace suan::journal
