#include "journal/verify.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include <unistd.h>

#include "base/ensure.h"
#include "journal/append_rules.h"
#include "journal/chain.h"
#include "journal/sealed_blob.h"
#include "journal/sqlite_database.h"

namespace suan::journal {

using Kind = Failure::Kind;

namespace {

std::string row_of(const char* table, std::uint64_t id) {
  return "journal.db, table " + std::string(table) + ", row " + std::to_string(id);
}

std::string range_of(std::uint64_t first, std::uint64_t last) {
  if (first == last) return "record " + std::to_string(first);
  return "records " + std::to_string(first) + " to " + std::to_string(last);
}

std::optional<Digest> digest_of(std::string_view bytes) {
  Digest digest;
  if (bytes.size() != digest.bytes.size()) return std::nullopt;
  std::memcpy(digest.bytes.data(), bytes.data(), bytes.size());
  return digest;
}

constexpr std::uint64_t sequence_max = std::uint64_t{INT64_MAX} - batch_records_limit;

struct Row {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::string_view hash;
  std::string_view bytes;
};

/// One reading of a journal from its first record to its last.
class Verification {
 public:
  Verification(Database& database, const VerifySettings& settings)
      : database_(database), settings_(settings) {}

  Result<VerifyReport> run() {
    SUAN_CHECK(read_signed_heads());
    // One transaction, so that a server may go on appending.
    SUAN_CHECK(noted("the file", 0, database_.execute("BEGIN")));
    SUAN_CHECK(check_structure());
    SUAN_CHECK(check_batches());
    check_heads_beyond();
    SUAN_CHECK(check_blobs());
    merge_findings();
    return std::move(report_);
  }

 private:
  void find(std::uint64_t first, std::uint64_t last, std::string place, std::string text) {
    report_.findings.push_back({first, last, std::move(place), std::move(text)});
  }

  // Damage that SQLite itself meets is a finding; what keeps it from reading is a failure.
  Result<void> noted(const std::string& what, std::uint64_t after, const Result<void>& done) {
    if (done) return {};
    if (done.error().kind != Kind::invalid) return std::unexpected(done.error());
    find(after, after, "journal.db", what + " cannot be read: " + done.error().text);
    return {};
  }

  Result<void> read_signed_heads();
  Result<void> check_structure();
  Result<void> check_batches();
  Result<void> each_batch(Statement& batches);
  void check_batch_row(const Row& row);
  void check_hash(const Row& row, const std::vector<RecordView>& records);
  void check_heads_in(const Head& before, const std::vector<RecordView>& records);
  void check_heads_beyond();
  Result<void> check_blobs();
  Result<void> each_blob(Statement& blobs);
  void merge_findings();

  Database& database_;
  const VerifySettings& settings_;
  VerifyReport report_;
  std::string heads_path_;
  std::multimap<std::uint64_t, SignedHead> heads_;
  // The hashes that the next batch may follow: the one stored, and the one computed if it differs.
  // None when the batch before is missing.
  std::vector<Digest> befores_{Digest{}};
};

Result<void> Verification::read_signed_heads() {
  heads_path_ = settings_.heads.empty() ? settings_.directory + "/heads" : settings_.heads;
  const auto file = read_heads(heads_path_);
  if (!file && file.error().kind == Kind::not_found && settings_.heads.empty()) return {};
  if (!file && file.error().kind == Kind::invalid) {
    find(0, 0, heads_path_, file.error().text);
    return {};
  }
  if (!file) return std::unexpected(file.error());
  const auto line = [this](std::size_t number) {
    return heads_path_ + ", line " + std::to_string(number);
  };
  const PublicKey key = settings_.public_key.value_or(file->public_key);
  if (key != file->public_key) find(0, 0, line(1), "the heads name another key than the domain's");
  for (const std::size_t number : file->unreadable_lines)
    find(0, 0, line(number), "not a signed head");
  for (const SignedHead& head : file->heads) {
    if (is_signed_by(key, head.head, head.signature)) {
      heads_.emplace(head.head.sequence, head);
    } else {
      find(0, 0, line(head.line), "the signature is not the domain's");
    }
  }
  return {};
}

Result<void> Verification::check_structure() {
  constexpr std::uint64_t findings_max = 20;
  auto check = database_.prepare("PRAGMA integrity_check(20)");
  if (!check) return noted("the file", 0, std::unexpected(check.error()));
  for (std::uint64_t i = 0; i < findings_max; ++i) {
    const auto row = check->step();
    if (!row) return noted("the file", 0, std::unexpected(row.error()));
    if (!*row) break;
    if (check->bytes(0) != "ok") find(0, 0, "journal.db", std::string(check->bytes(0)));
  }
  return {};
}

Result<void> Verification::check_batches() {
  auto batches = database_.prepare(
      "SELECT first_sequence, count, hash, bytes FROM batches ORDER BY first_sequence");
  Result<void> done;
  if (batches) {
    done = each_batch(*batches);
  } else {
    // A schema that cannot be understood is damage as well.
    done = failure(Kind::invalid, batches.error().text);
  }
  return noted("records", report_.head.sequence + 1, done);
}

Result<void> Verification::each_batch(Statement& batches) {
  for (;;) {
    SUAN_TRY(const bool is_row, batches.step());
    if (!is_row) return {};
    ++report_.batches;
    check_batch_row({.first = batches.number(0),
                     .count = batches.number(1),
                     .hash = batches.bytes(2),
                     .bytes = batches.bytes(3)});
  }
}

void Verification::check_batch_row(const Row& row) {
  const std::string place = row_of("batches", row.first);
  const std::uint64_t expected = report_.head.sequence + 1;
  if (row.first == 0 || row.first > sequence_max) {
    find(0, 0, place, "no record has such a sequence");
    return;
  }
  const auto records = read_batch(row.bytes, row.count);
  if (!records) {
    const std::uint64_t last =
        row.count > 0 && row.count <= batch_records_limit ? row.first + row.count - 1 : row.first;
    find(row.first, last, place + ", " + records.error().place, "damaged: " + records.error().text);
    const auto hash = digest_of(row.hash);
    befores_.clear();
    if (hash) befores_.push_back(*hash);
    report_.head = {.sequence = last, .hash = hash.value_or(Digest{}), .moment = {}};
    return;
  }
  if (row.first > expected) {
    find(expected, row.first - 1, place, range_of(expected, row.first - 1) + " missing before it");
    befores_.clear();
  } else if (row.first < expected) {
    find(row.first, expected - 1, place, "stored twice, or inserted");
    befores_.clear();
  }
  check_hash(row, *records);
}

void Verification::check_hash(const Row& row, const std::vector<RecordView>& records) {
  const auto stored = digest_of(row.hash);
  Head start{.sequence = row.first - 1, .hash = {}, .moment = {}};
  std::optional<Digest> computed;
  for (const Digest& before : befores_) {
    start.hash = before;
    computed = extend(start, row.bytes).hash;
    if (computed == stored) break;
  }
  report_.head = {.sequence = row.first + row.count - 1,
                  .hash = stored.value_or(Digest{}),
                  .moment = records.back().moment};
  befores_.clear();
  if (stored) befores_.push_back(*stored);
  if (!computed) return;  // The batch before is missing: nothing to compare with.
  if (computed == stored) {
    check_heads_in(start, records);
  } else {
    befores_.push_back(*computed);
    find(row.first, report_.head.sequence, row_of("batches", row.first),
         "changed or out of place: the hash is not the one stored");
  }
}

void Verification::check_heads_in(const Head& before, const std::vector<RecordView>& records) {
  const std::uint64_t last = before.sequence + records.size();
  const auto end = heads_.upper_bound(last);
  for (auto at = heads_.upper_bound(before.sequence); at != end; ++at) {
    const Head& head = at->second.head;
    ++report_.heads;
    if (hash_through(before, records, head.sequence) != head.hash)
      find(head.sequence, head.sequence, heads_path_ + ", line " + std::to_string(at->second.line),
           "the history up to " + range_of(head.sequence, head.sequence) +
               " is not the one that was signed");
  }
}

void Verification::check_heads_beyond() {
  if (heads_.empty()) return;
  const auto& [sequence, last] = *heads_.rbegin();
  if (sequence <= report_.head.sequence) return;
  ++report_.heads;
  const std::uint64_t first = report_.head.sequence + 1;
  find(first, sequence, heads_path_ + ", line " + std::to_string(last.line),
       "cut off: " + range_of(first, sequence) + " signed for but not there");
}

Result<void> Verification::check_blobs() {
  auto blobs = database_.prepare(
      "SELECT b.id, b.sealed, k.key FROM blobs b LEFT JOIN blob_keys k ON k.id = b.id"
      " UNION ALL SELECT k.id, NULL, k.key FROM blob_keys k WHERE k.id NOT IN"
      " (SELECT id FROM blobs)");
  if (!blobs) return noted("blobs", 0, failure(Kind::invalid, blobs.error().text));
  return noted("blobs", 0, each_blob(*blobs));
}

Result<void> Verification::each_blob(Statement& blobs) {
  for (;;) {
    SUAN_TRY(const bool is_row, blobs.step());
    if (!is_row) return {};
    const std::uint64_t id = blobs.number(0);
    if (blobs.is_null(1) && blobs.is_null(2)) continue;  // Deleted.
    ++report_.blobs;
    if (blobs.is_null(1) || blobs.is_null(2)) {
      find(0, 0, row_of("blobs", id), "the blob or its key is missing");
    } else if (!open_blob(id, blobs.bytes(2), blobs.bytes(1))) {
      find(0, 0, row_of("blobs", id), "the blob or its key was changed");
    }
  }
}

// One cause can spoil many neighbours: they are told as one.
void Verification::merge_findings() {
  std::vector<Finding> merged;
  for (Finding& finding : report_.findings) {
    Finding* last = merged.empty() ? nullptr : &merged.back();
    if (last != nullptr && last->last != 0 && last->text == finding.text &&
        finding.first == last->last + 1) {
      last->last = finding.last;
    } else {
      merged.push_back(std::move(finding));
    }
  }
  report_.findings = std::move(merged);
}

}  // namespace

Result<VerifyReport> verify(const VerifySettings& settings) {
  const std::string path = settings.directory + "/journal.db";
  if (::access(path.c_str(), R_OK) != 0)
    return failure(Kind::not_found, "no journal that can be read", path);
  auto database = Database::open(path, Database::Access::read, "");
  if (!database) return std::unexpected(database.error());
  return Verification(**database, settings).run();
}

}  // namespace suan::journal
