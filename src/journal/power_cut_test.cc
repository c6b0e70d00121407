// The journal against a disk that loses power at every single write and sync.
#include <filesystem>
#include <optional>

#include "journal/chain.h"
#include "journal/fault_vfs.h"
#include "journal/scratch.h"
#include "journal/sqlite_journal.h"
#include "journal/verify.h"
#include "testing/property.h"

namespace suan::journal {
namespace {

using Kind = Failure::Kind;

constexpr int steps = 14;

/// What the server did, as far as it was told, and the one thing it was doing when the power went.
struct Told {
  std::uint64_t epoch = 0;
  Head head;
  std::vector<Record> records;          // Acknowledged.
  std::map<std::uint64_t, bool> blobs;  // Acknowledged; true while it was not deleted.
  std::uint64_t snapshot = 0;
  std::vector<Record> records_in_flight;  // With head_in_flight.
  std::optional<Head> head_in_flight;
  std::uint64_t deletion_in_flight = 0;
  std::uint64_t snapshot_in_flight = 0;
};

std::string text_of(std::uint64_t number, std::size_t size) {
  std::string text = std::to_string(number) + ":";
  text.resize(size, static_cast<char>('a' + number % 26));
  return text;
}

std::string snapshot_text(std::uint64_t sequence) {
  return text_of(sequence, 150'000);
}

/// Runs the workload until it ends or something fails.
class Server {
 public:
  explicit Server(SqliteSettings settings) : settings_(std::move(settings)) {}

  bool run() {
    Random random(7);  // The same work every time.
    for (int step = 0; step < steps; ++step) {
      if (step % 7 == 0 && !open()) return false;
      if (!append(random, step)) return false;
      if (step % 4 == 3 && !remove_blob()) return false;
      if (step % 5 == 2 && !take_snapshot()) return false;
    }
    journal_.reset();
    return true;
  }

  Told told;

 private:
  bool open() {
    journal_.reset();
    auto opened = SqliteJournal::open(settings_);
    if (!opened) return false;
    journal_ = *std::move(opened);
    const auto epoch = journal_->claim_leadership();
    if (!epoch) return false;
    EXPECT_GT(*epoch, told.epoch);
    told.epoch = *epoch;
    return true;
  }

  bool append(Random& random, int step) {
    Batch batch;
    told.records_in_flight.clear();
    for (auto count = random.between(1, 3); count > 0; --count) {
      const std::uint64_t sequence = told.head.sequence + told.records_in_flight.size() + 1;
      const Record record{sequence, {step}, text_of(sequence, random.below(std::size_t{6'000}))};
      batch.add(record.moment, record.bytes);
      told.records_in_flight.push_back(record);
    }
    const std::uint64_t blob = step % 2 == 1 ? static_cast<std::uint64_t>(step) : 0;
    if (blob != 0) batch.add_blob(blob, text_of(blob, 2'000));
    told.head_in_flight = extend(told.head, batch.encoded());
    const auto head = journal_->append(told.head.sequence, told.epoch, batch);
    if (!head) {
      EXPECT_EQ(head.error().kind, Kind::io);
      EXPECT_EQ(journal_->append(told.head.sequence, told.epoch, batch).error().kind, Kind::io);
      return false;
    }
    EXPECT_EQ(*head, *told.head_in_flight);
    told.head = *head;
    told.head_in_flight.reset();
    told.records.insert(told.records.end(), told.records_in_flight.begin(),
                        told.records_in_flight.end());
    if (blob != 0) told.blobs[blob] = true;
    if (step % 3 != 0) journal_->tidy();  // Else an append finds the log longer still.
    return true;
  }

  bool remove_blob() {
    told.deletion_in_flight = told.blobs.rbegin()->first;
    if (!journal_->delete_blob(told.deletion_in_flight)) return false;
    told.blobs[told.deletion_in_flight] = false;
    told.deletion_in_flight = 0;
    return true;
  }

  bool take_snapshot() {
    told.snapshot_in_flight = told.head.sequence;
    if (!journal_->write_snapshot(told.head.sequence, snapshot_text(told.head.sequence)))
      return false;
    told.snapshot = told.snapshot_in_flight;
    return true;
  }

  SqliteSettings settings_;
  std::unique_ptr<SqliteJournal> journal_;
};

void expect_records(const Journal& journal, std::vector<Record> expected) {
  const auto read = journal.follow(1, 1'000);
  ASSERT_TRUE(read.has_value()) << read.error().text;
  EXPECT_EQ(*read, expected);
}

void expect_blobs(const Journal& journal, const Told& told) {
  for (const auto& [id, is_there] : told.blobs) {
    if (id == told.deletion_in_flight) continue;
    const auto blob = journal.read_blob(id);
    ASSERT_EQ(blob.has_value(), is_there) << "blob " << id;
    if (blob) {
      EXPECT_EQ(*blob, text_of(id, 2'000));
    }
  }
}

void expect_snapshot(const Journal& journal, const Told& told) {
  const auto snapshot = journal.read_snapshot();
  ASSERT_TRUE(snapshot.has_value());
  if (!*snapshot) {
    EXPECT_EQ(told.snapshot, 0U);
    return;
  }
  const std::uint64_t sequence = (*snapshot)->sequence;
  EXPECT_TRUE(sequence == told.snapshot || sequence == told.snapshot_in_flight) << sequence;
  EXPECT_EQ((*snapshot)->bytes, snapshot_text(sequence));
}

/// Everything acknowledged is on the real disk, and what was under way is there whole or not at
/// all.
void expect_kept(const std::string& directory, const Told& told) {
  {
    auto journal = SqliteJournal::open({.directory = directory});
    ASSERT_TRUE(journal.has_value()) << journal.error().text;
    const Head head = (*journal)->head();
    std::vector<Record> expected = told.records;
    if (told.head_in_flight && head == *told.head_in_flight) {
      expected.insert(expected.end(), told.records_in_flight.begin(), told.records_in_flight.end());
    } else {
      ASSERT_EQ(head, told.head);
    }
    expect_records(**journal, expected);
    expect_blobs(**journal, told);
    expect_snapshot(**journal, told);
    const auto epoch = (*journal)->claim_leadership();
    ASSERT_TRUE(epoch.has_value());
    EXPECT_GT(*epoch, told.epoch);
    Batch batch;
    batch.add({99}, "after the cut");
    ASSERT_TRUE((*journal)->append(head.sequence, *epoch, batch).has_value());
  }
  const auto report = verify({.directory = directory});
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->is_sound()) << report->findings.front().place << ": "
                                  << report->findings.front().text;
}

void cut_everywhere(FaultVfs::Unsynced unsynced, std::uint64_t seeds) {
  bool is_done = false;
  std::uint64_t event = 1;
  for (; !is_done; ++event) {
    for (std::uint64_t seed = 1; seed <= seeds && !is_done; ++seed) {
      SCOPED_TRACE(testing::Message() << "power cut at event " << event << ", seed " << seed);
      const Scratch scratch;
      FaultVfs vfs;
      vfs.cut_power_at(event, unsynced, seed);
      Told told;
      {
        Server server({.directory = scratch.path(),
                       .vfs = vfs.name(),
                       .log_pages_max = 8,
                       .deletions_max = 2});
        const bool got_through = server.run();
        // The last run gets through; the power goes when it is done.
        is_done = !vfs.is_off();
        EXPECT_TRUE(!is_done || got_through);
        told = server.told;
      }
      vfs.cut_power();
      std::filesystem::remove(scratch / "journal.db-shm");  // Memory does not outlive the power.
      expect_kept(scratch.path(), told);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(event, 150U);
}

TEST(PowerCut, NothingAcknowledgedIsLostWhenUnsyncedWritesAreLost) {
  cut_everywhere(FaultVfs::Unsynced::lost, 1);
}

TEST(PowerCut, NothingAcknowledgedIsLostWhenSomeUnsyncedWritesAreKept) {
  cut_everywhere(FaultVfs::Unsynced::some_kept, 2);
}

Batch one(std::size_t size) {
  Batch batch;
  batch.add({1}, std::string(size, 'x'));
  return batch;
}

TEST(PowerCut, AnAppendIsOneSync) {
  const Scratch scratch;
  FaultVfs vfs;
  auto journal = SqliteJournal::open({.directory = scratch.path(), .vfs = vfs.name()}).value();
  const auto epoch = journal->claim_leadership().value();
  journal->append(0, epoch, one(10)).value();
  const std::uint64_t before = vfs.syncs();
  Batch batch;
  for (int i = 0; i < 100; ++i) batch.add({1}, "record");
  batch.add_blob(1, "blob");
  journal->append(1, epoch, batch).value();
  EXPECT_EQ(vfs.syncs(), before + 1);
}

TEST(PowerCut, AFullDiskRefusesAndLaterTakes) {
  const Scratch scratch;
  FaultVfs vfs;
  auto journal =
      SqliteJournal::open({.directory = scratch.path(), .vfs = vfs.name(), .log_pages_max = 4})
          .value();
  const auto epoch = journal->claim_leadership().value();
  std::uint64_t sequence = 0;
  for (int round = 0; round < 10; ++round) {
    Batch batch = one(10'000);
    batch.add_blob(static_cast<std::uint64_t>(round) + 1, "blob");
    vfs.fill_disk(true);
    EXPECT_EQ(journal->append(sequence, epoch, round % 2 ? batch : one(10)).error().kind,
              Kind::no_space);
    EXPECT_EQ(journal->write_snapshot(sequence, "s").error().kind, Kind::no_space);
    EXPECT_EQ(journal->head().sequence, sequence);
    EXPECT_EQ(journal->follow(1, 100)->size(), sequence);
    vfs.fill_disk(false);
    sequence = journal->append(sequence, epoch, batch).value().sequence;
    ASSERT_EQ(sequence, static_cast<std::uint64_t>(round) + 1);
  }
  journal.reset();
  vfs.cut_power();
  EXPECT_TRUE(verify({.directory = scratch.path()})->is_sound());
}

TEST(PowerCut, AFailedSyncEndsTheWriting) {
  const Scratch scratch;
  FaultVfs vfs;
  auto journal = SqliteJournal::open({.directory = scratch.path(), .vfs = vfs.name()}).value();
  const auto epoch = journal->claim_leadership().value();
  journal->append(0, epoch, one(10)).value();
  vfs.fail_syncs(true);
  EXPECT_EQ(journal->append(1, epoch, one(10)).error().kind, Kind::io);
  vfs.fail_syncs(false);
  EXPECT_EQ(journal->append(1, epoch, one(10)).error().kind, Kind::io);
  EXPECT_EQ(journal->claim_leadership().error().kind, Kind::io);
  EXPECT_EQ(journal->follow(1, 10)->size(), 1U);
}

}  // namespace
}  // namespace suan::journal
