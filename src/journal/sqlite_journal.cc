#include "journal/sqlite_journal.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/statvfs.h>

#include "base/ensure.h"
#include "journal/append_rules.h"
#include "journal/chain.h"
#include "journal/sealed_blob.h"

namespace suan::journal {

using Kind = Failure::Kind;

namespace {

constexpr int overdue = 4;  // So many times the pages of the log, and an append copies them itself.
constexpr std::uint64_t format_version = 1;
constexpr std::uint64_t application_mark = 0x5355414E;  // "SUAN"

// FULL syncs the log at every commit; EXTRA differs from it only without a write-ahead log.
constexpr const char* write_pragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA journal_size_limit=67108864;";
constexpr const char* read_pragmas =
    "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;";

// The hash stands before the bytes, so that reading it does not walk through them.
constexpr const char* schema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE batches(first_sequence INTEGER PRIMARY KEY, count INTEGER NOT NULL,"
    " hash BLOB NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE leadership(only INTEGER PRIMARY KEY CHECK(only = 1), epoch INTEGER NOT NULL);"
    "INSERT INTO leadership VALUES(1, 0);"
    "CREATE TABLE blobs(id INTEGER PRIMARY KEY, sealed BLOB);"
    "CREATE TABLE blob_keys(id INTEGER PRIMARY KEY, key BLOB NOT NULL);"
    "PRAGMA application_id=0x5355414E;"
    "PRAGMA user_version=1;"
    "COMMIT;";

constexpr const char* select_batches =
    "SELECT first_sequence, count, hash, bytes FROM batches WHERE first_sequence >="
    " (SELECT max(first_sequence) FROM batches WHERE first_sequence <= ?) ORDER BY first_sequence";
constexpr const char* select_before =
    "SELECT first_sequence + count - 1, hash FROM batches WHERE first_sequence < ?"
    " ORDER BY first_sequence DESC LIMIT 1";

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

Result<Digest> digest_of(std::string_view bytes) {
  Digest digest;
  if (bytes.size() != digest.bytes.size())
    return failure(Kind::invalid, "damaged: a hash of " + std::to_string(bytes.size()) + " bytes");
  std::memcpy(digest.bytes.data(), bytes.data(), bytes.size());
  return digest;
}

}  // namespace

struct SqliteJournal::Writer {
  std::unique_ptr<Database> database;
  Statement begin;
  Statement commit;
  Statement rollback;
  Statement insert_batch;
  Statement insert_blob;
  Statement insert_key;
  Statement delete_key;
  Statement delete_blob;
  Statement lead;

  static Result<std::unique_ptr<Writer>> open(std::unique_ptr<Database> database) {
    Database& db = *database;
    SUAN_TRY(Statement begin, db.prepare("BEGIN IMMEDIATE"));
    SUAN_TRY(Statement commit, db.prepare("COMMIT"));
    SUAN_TRY(Statement rollback, db.prepare("ROLLBACK"));
    SUAN_TRY(Statement batch, db.prepare("INSERT INTO batches VALUES(?, ?, ?, ?)"));
    SUAN_TRY(Statement blob, db.prepare("INSERT INTO blobs VALUES(?, ?)"));
    SUAN_TRY(Statement key, db.prepare("INSERT INTO blob_keys VALUES(?, ?)"));
    SUAN_TRY(Statement no_key, db.prepare("DELETE FROM blob_keys WHERE id = ?"));
    SUAN_TRY(Statement no_blob, db.prepare("UPDATE blobs SET sealed = NULL WHERE id = ?"));
    SUAN_TRY(Statement lead, db.prepare("UPDATE leadership SET epoch = ?"));
    return std::unique_ptr<Writer>(
        new Writer{std::move(database), std::move(begin), std::move(commit), std::move(rollback),
                   std::move(batch), std::move(blob), std::move(key), std::move(no_key),
                   std::move(no_blob), std::move(lead)});
  }

  /// Does `work` in one transaction. On failure nothing has changed, or the kind is `io`.
  Result<void> transact(auto work) {
    SUAN_CHECK(begin.run());
    Result<void> done = work();
    if (done) done = commit.run();
    if (done) return done;
    // A full disk may have ended the transaction already; then there is nothing to roll back.
    if (!rollback.run() && done.error().kind != Kind::no_space) done.error().kind = Kind::io;
    return done;
  }
};

struct SqliteJournal::Reader {
  std::unique_ptr<Database> database;
  Statement batches;
  Statement before;
  Statement blob;

  static Result<std::unique_ptr<Reader>> open(const std::string& path, const std::string& vfs) {
    SUAN_TRY(auto database, Database::open(path, Database::Access::write, vfs));
    SUAN_CHECK(database->execute(read_pragmas));
    SUAN_TRY(Statement batches, database->prepare(select_batches));
    SUAN_TRY(Statement before, database->prepare(select_before));
    SUAN_TRY(Statement blob,
             database->prepare("SELECT b.sealed, k.key FROM blobs b JOIN blob_keys k"
                               " ON k.id = b.id WHERE b.id = ?"));
    return std::unique_ptr<Reader>(
        new Reader{std::move(database), std::move(batches), std::move(before), std::move(blob)});
  }

  /// The head before the batch that begins at `first_sequence`.
  Result<Head> head_before(std::uint64_t first_sequence) {
    Head head;
    if (first_sequence == 0 || first_sequence > static_cast<std::uint64_t>(INT64_MAX))
      return failure(Kind::invalid, "damaged: no record has such a sequence");
    const Reading reading(before);
    SUAN_TRY(const bool is_row, before.bind(first_sequence).step());
    if (is_row) {
      head.sequence = before.number(0);
      SUAN_TRY(head.hash, digest_of(before.bytes(1)));
    }
    if (head.sequence + 1 != first_sequence)
      return failure(Kind::invalid, "damaged: the record before is missing",
                     "record " + std::to_string(first_sequence));
    return head;
  }
};

SqliteJournal::SqliteJournal(SqliteSettings settings, std::unique_ptr<DirectoryLock> lock,
                             SnapshotFiles snapshots)
    : settings_(std::move(settings)), lock_(std::move(lock)), snapshots_(std::move(snapshots)) {}

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(const SqliteSettings& settings) {
  SUAN_TRY(auto lock, DirectoryLock::take(settings.directory));
  const std::string path = settings.directory + "/journal.db";
  SUAN_CHECK(create_private_file(path));
  SUAN_CHECK(sync_directory(settings.directory));
  SUAN_TRY(auto snapshots, SnapshotFiles::open(settings.directory, settings.vfs));
  SUAN_TRY(auto database, Database::open(path, Database::Access::write, settings.vfs));
  SUAN_CHECK(database->execute(write_pragmas));
  SUAN_TRY(const auto version, database->number("PRAGMA user_version"));
  SUAN_TRY(const auto application, database->number("PRAGMA application_id"));
  if (version == 0) {
    SUAN_CHECK(database->execute(schema));
  } else if (application != application_mark) {
    return failure(Kind::unsupported, "this SQLite file is not a journal", path);
  } else if (version != format_version) {
    return failure(Kind::unsupported,
                   "the journal has format " + std::to_string(version) +
                       "; this program reads format " + std::to_string(format_version),
                   path);
  }
  std::unique_ptr<SqliteJournal> opened(
      new SqliteJournal(settings, std::move(lock), std::move(snapshots)));
  SUAN_TRY(opened->writer_, Writer::open(std::move(database)));
  SUAN_TRY(opened->reader_, Reader::open(path, settings.vfs));
  SUAN_CHECK(opened->recover());
  return opened;
}

Result<void> SqliteJournal::recover() {
  // A process may have died between writing and syncing. What it wrote is read now, so it has to be
  // durable before anyone hears of it.
  SUAN_CHECK(writer_->database->checkpoint(true));
  SUAN_TRY(epoch_, writer_->database->number("SELECT epoch FROM leadership"));
  return check_last_batch();
}

Result<void> SqliteJournal::check_last_batch() {
  const Reading reading(reader_->batches);
  SUAN_TRY(const bool is_row, reader_->batches.bind(std::uint64_t{INT64_MAX}).step());
  if (!is_row) return {};
  const std::uint64_t first = reader_->batches.number(0);
  const std::uint64_t count = reader_->batches.number(1);
  SUAN_TRY(const Digest hash, digest_of(reader_->batches.bytes(2)));
  SUAN_TRY(const Head before, reader_->head_before(first));
  const std::string_view bytes = reader_->batches.bytes(3);
  SUAN_CHECK(read_chained(before, bytes, count, hash));
  head_ = extend(before, bytes);
  return {};
}

SqliteJournal::~SqliteJournal() {
  reader_.reset();
  if (writer_ == nullptr) return;
  // What an uncertain sync left in the log is for the next start to judge, not for us to spread.
  if (is_uncertain_) writer_->database->keep_log_on_close();
}

Head SqliteJournal::head() const {
  const std::lock_guard lock(head_guard_);
  return head_;
}

Result<void> SqliteJournal::check_certain() const {
  if (is_uncertain_)
    return failure(Kind::io, "an earlier write is uncertain; restart to see what is durable");
  return {};
}

// Remembers an uncertain write. A damaged file cannot be explained to the caller of an append
// either: only the next start can say what is there.
Result<void> SqliteJournal::settle(Result<void> written) {
  if (written) return written;
  Kind& kind = written.error().kind;
  if (kind != Kind::no_space && kind != Kind::unavailable && kind != Kind::conflict) {
    kind = Kind::io;
    is_uncertain_ = true;
  }
  return written;
}

Result<std::uint64_t> SqliteJournal::claim_leadership() {
  const std::lock_guard lock(writing_);
  SUAN_CHECK(check_certain());
  SUAN_CHECK(settle(writer_->lead.bind(epoch_ + 1).run()));
  return ++epoch_;
}

Result<void> SqliteJournal::store(const Head& after, const Batch& batch) {
  Writer& writer = *writer_;
  const auto insert = [&]() -> Result<void> {
    return writer.insert_batch.bind(after.sequence + 1 - batch.size())
        .bind(batch.size())
        .bind(view(after.hash))
        .bind(batch.encoded())
        .run();
  };
  if (batch.blobs().empty()) return insert();
  return writer.transact([&]() -> Result<void> {
    SUAN_CHECK(insert());
    for (const Batch::Blob& blob : batch.blobs()) {
      const SealedBlob sealed = seal_blob(blob.id, blob.bytes);
      const std::string_view key(reinterpret_cast<const char*>(sealed.key.data()),
                                 sealed.key.size());
      SUAN_CHECK(writer.insert_blob.bind(blob.id).bind(sealed.sealed).run());
      SUAN_CHECK(writer.insert_key.bind(blob.id).bind(key).run());
    }
    return {};
  });
}

Result<Head> SqliteJournal::append(std::uint64_t expected_sequence, std::uint64_t leader_epoch,
                                   const Batch& batch) {
  const std::lock_guard lock(writing_);
  SUAN_CHECK(check_certain());
  const Head before = head();
  SUAN_CHECK(check_batch(batch));
  SUAN_CHECK(check_turn({expected_sequence, leader_epoch}, {before.sequence, epoch_}));
  const Head after = extend(before, batch.encoded());
  SUAN_CHECK(settle(store(after, batch)));
  {
    const std::lock_guard guard(head_guard_);
    head_ = after;
  }
  checkpoint_from(settings_.log_pages_max * overdue);
  return after;
}

void SqliteJournal::tidy() {
  const std::lock_guard lock(writing_);
  if (check_certain()) checkpoint_from(settings_.log_pages_max);
}

// SQLite would do this by itself and forget a failed sync, after which a second one may claim
// success over lost pages. Here a failure ends the writing; what was appended before it is safe in
// the log.
void SqliteJournal::checkpoint_from(int log_pages) {
  Database& database = *writer_->database;
  if (database.log_pages() < log_pages) return;
  const Result<void> done = database.checkpoint(false);
  if (!done && done.error().kind != Kind::no_space && done.error().kind != Kind::unavailable)
    is_uncertain_ = true;
}

Result<std::vector<Record>> SqliteJournal::follow(std::uint64_t from, std::size_t limit) const {
  ensure(from > 0);
  FollowAnswer answer{.from = from, .limit = limit};
  if (from > static_cast<std::uint64_t>(INT64_MAX) || limit == 0) return answer.records;
  const std::lock_guard lock(reading_);
  Statement& batches = reader_->batches;
  const Reading reading(batches);
  batches.bind(from);
  Head before;
  bool is_first = true;
  while (!answer.is_full()) {
    SUAN_TRY(const bool is_row, batches.step());
    if (!is_row) break;
    const std::uint64_t first = batches.number(0);
    const std::uint64_t count = batches.number(1);
    if (is_first) {
      if (first + count <= from) break;
      SUAN_TRY(before, reader_->head_before(first));
      is_first = false;
    }
    if (first != before.sequence + 1)
      return failure(Kind::invalid, "damaged: records are missing",
                     "record " + std::to_string(before.sequence + 1));
    SUAN_TRY(const Digest after, digest_of(batches.bytes(2)));
    SUAN_TRY(const auto records, read_chained(before, batches.bytes(3), count, after));
    answer.take(first, records);
    before = {.sequence = first + count - 1, .hash = after, .moment = {}};
  }
  return std::move(answer.records);
}

Result<std::string> SqliteJournal::read_blob(std::uint64_t id) const {
  if (id > static_cast<std::uint64_t>(INT64_MAX)) return failure(Kind::not_found, "no such blob");
  const std::lock_guard lock(reading_);
  Statement& blob = reader_->blob;
  const Reading reading(blob);
  SUAN_TRY(const bool is_row, blob.bind(id).step());
  if (!is_row) return failure(Kind::not_found, "no blob " + std::to_string(id));
  return open_blob(id, blob.bytes(1), blob.bytes(0));
}

Result<void> SqliteJournal::delete_blob(std::uint64_t id) {
  if (id > static_cast<std::uint64_t>(INT64_MAX)) return {};
  const std::lock_guard lock(writing_);
  SUAN_CHECK(check_certain());
  Writer& writer = *writer_;
  const auto erase = [&]() -> Result<void> {
    SUAN_CHECK(writer.delete_key.bind(id).run());
    return writer.delete_blob.bind(id).run();
  };
  SUAN_CHECK(settle(writer.transact(erase)));
  if (++deletions_ >= settings_.deletions_max) {
    const Result<void> emptied = writer.database->checkpoint(true);
    if (emptied) deletions_ = 0;
    if (!emptied && emptied.error().kind != Kind::unavailable) return settle(emptied);
  }
  return {};
}

Result<void> SqliteJournal::scrub() {
  const std::lock_guard lock(writing_);
  SUAN_CHECK(check_certain());
  const Result<void> emptied = writer_->database->checkpoint(true);
  if (!emptied && emptied.error().kind == Kind::unavailable) return emptied;
  SUAN_CHECK(settle(emptied));
  deletions_ = 0;
  return {};
}

Result<Digest> SqliteJournal::hash_at(std::uint64_t sequence) const {
  if (sequence == 0) return Digest{};
  const std::lock_guard lock(reading_);
  Statement& batches = reader_->batches;
  const Reading reading(batches);
  SUAN_TRY(const bool is_row, batches.bind(sequence).step());
  if (!is_row || batches.number(0) + batches.number(1) <= sequence)
    return failure(Kind::invalid, "record " + std::to_string(sequence) + " is not there yet");
  SUAN_TRY(const Head before, reader_->head_before(batches.number(0)));
  SUAN_TRY(const auto records, read_batch(batches.bytes(3), batches.number(1)));
  return hash_through(before, records, sequence);
}

Result<void> SqliteJournal::write_snapshot(std::uint64_t sequence, std::string_view bytes) {
  if (sequence > head().sequence)
    return failure(Kind::invalid, "record " + std::to_string(sequence) + " is not there yet");
  SUAN_TRY(const Digest hash, hash_at(sequence));
  const std::lock_guard lock(snapshotting_);
  return snapshots_.write(sequence, hash, bytes);
}

Result<std::optional<Snapshot>> SqliteJournal::read_snapshot() const {
  const std::lock_guard lock(snapshotting_);
  const std::uint64_t last = head().sequence;
  for (const std::uint64_t sequence : snapshots_.list()) {
    if (sequence > last) continue;
    SUAN_TRY(auto file, snapshots_.read(sequence));
    if (!file) continue;
    SUAN_TRY(const Digest hash, hash_at(sequence));
    if (file->chain_hash == hash) return Snapshot{sequence, std::move(file->bytes)};
  }
  return std::nullopt;
}

Result<std::uint64_t> SqliteJournal::free_bytes() const {
  struct statvfs disk;
  if (::statvfs(settings_.directory.c_str(), &disk) != 0)
    return os_failure("cannot ask for free space", settings_.directory);
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

}  // namespace suan::journal
