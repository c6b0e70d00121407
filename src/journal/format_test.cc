// Reads the examples of docs/formats/journal.md with the code that reads journals.
#include <filesystem>
#include <optional>

#include <sys/stat.h>

#include "journal/chain.h"
#include "journal/heads.h"
#include "journal/scratch.h"
#include "journal/snapshot_files.h"
#include "journal/sqlite_database.h"
#include "journal/sqlite_journal.h"
#include "testing/property.h"

namespace suan::journal {
namespace {

std::string document() {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  return read_whole((root / "docs/formats/journal.md").string());
}

/// The text inside the fence "```name".
std::string block(const std::string& name) {
  const std::string text = document();
  const std::string fence = "```" + name + "\n";
  const std::size_t start = text.find(fence);
  EXPECT_NE(start, std::string::npos) << "no example " << name;
  if (start == std::string::npos) return "";
  const std::size_t from = start + fence.size();
  return text.substr(from, text.find("```", from) - from);
}

/// The bytes of a hexadecimal example, without its remarks.
std::string bytes_of(const std::string& name) {
  std::string digits;
  bool is_remark = false;
  for (const char c : block(name)) {
    if (c == '#') is_remark = true;
    if (c == '\n') is_remark = false;
    if (!is_remark && c != ' ' && c != '\n') digits += c;
  }
  EXPECT_EQ(digits.size() % 2, 0U);
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

constexpr Moment first_moment{1'795'420'800'000'000};

Batch example() {
  Batch batch;
  batch.add(first_moment, "job 1");
  batch.add(first_moment + microseconds(250), "算");
  return batch;
}

TEST(Format, TheBatchReadsAsTheDocumentSays) {
  const std::string bytes = bytes_of("hex batch");
  const auto records = read_batch(bytes, 2);
  ASSERT_TRUE(records.has_value());
  EXPECT_EQ((*records)[0].moment, first_moment);
  EXPECT_EQ((*records)[0].bytes, "job 1");
  EXPECT_EQ((*records)[1].moment, first_moment + microseconds(250));
  EXPECT_EQ((*records)[1].bytes, "算");
  EXPECT_EQ(example().encoded(), bytes);
}

TEST(Format, TheHashesAreThoseOfTheDocument) {
  const std::string bytes = bytes_of("hex batch");
  const auto records = read_batch(bytes, 2).value();
  const Digest first = hash_record(Digest{}, 1, records[0].encoded);
  const Digest second = hash_record(first, 2, records[1].encoded);
  EXPECT_EQ(print_digest(first) + print_digest(second), print_hex(bytes_of("hex hashes")));
}

TEST(Format, TheRowIsThatOfTheDocument) {
  const Scratch scratch;
  {
    auto journal = SqliteJournal::open({.directory = scratch.path()}).value();
    journal->append(0, journal->claim_leadership().value(), example()).value();
  }
  EXPECT_FALSE(std::filesystem::exists(scratch / "journal.db-wal"));
  auto database = Database::open(scratch / "journal.db", Database::Access::read, "").value();
  auto row = database->prepare("SELECT first_sequence, count, hash, bytes FROM batches").value();
  ASSERT_TRUE(row.step().value());
  EXPECT_EQ(row.number(0), 1U);
  EXPECT_EQ(row.number(1), 2U);
  EXPECT_EQ(row.bytes(2), bytes_of("hex hashes").substr(32));
  EXPECT_EQ(row.bytes(3), bytes_of("hex batch"));
  auto tables =
      database->prepare("SELECT group_concat(sql || ';', char(10)) FROM sqlite_schema").value();
  ASSERT_TRUE(tables.step().value());
  const auto squeezed = [](std::string_view text) {
    std::string words;
    for (const char c : text)
      if (c != ' ' && c != '\n') words += c;
    return words;
  };
  EXPECT_EQ(squeezed(tables.bytes(0)), squeezed(block("sql")));
}

TEST(Format, TheSnapshotIsThatOfTheDocument) {
  const Scratch scratch;
  Digest hash;
  const std::string hashes = bytes_of("hex hashes");
  std::copy(hashes.begin() + 32, hashes.end(), hash.bytes.begin());
  auto files = SnapshotFiles::open(scratch.path(), "").value();
  write_whole(scratch / "journal.db", "");
  write_whole(scratch / "journal.db-snapshot2", bytes_of("hex snapshot"));
  const auto read = files.read(2).value();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->bytes, "state");
  EXPECT_EQ(read->chain_hash, hash);
  ASSERT_TRUE(files.write(2, hash, "state").has_value());
  EXPECT_EQ(read_whole(scratch / "journal.db-snapshot2"), bytes_of("hex snapshot"));
}

TEST(Format, TheHeadsAreThoseOfTheDocument) {
  const auto file = parse_heads(block("heads"));
  ASSERT_TRUE(file.has_value());
  ASSERT_EQ(file->heads.size(), 1U);
  EXPECT_EQ(file->heads[0].head, extend(Head{}, example().encoded()));
  EXPECT_TRUE(is_signed_by(file->public_key, file->heads[0].head, file->heads[0].signature));

  const Scratch scratch;
  std::string seed;
  for (int i = 0; i < 32; ++i) seed += static_cast<char>(i);
  write_whole(scratch / "domain.key", print_hex(seed) + "\n");
  ASSERT_EQ(::chmod((scratch / "domain.key").c_str(), 0600), 0);
  {
    const auto writer =
        HeadWriter::open({.key_path = scratch / "domain.key", .files = {scratch / "heads"}})
            .value();
    writer->write(extend(Head{}, example().encoded())).value();
  }
  EXPECT_EQ(read_whole(scratch / "heads"), block("heads"));
}

}  // namespace
}  // namespace suan::journal
