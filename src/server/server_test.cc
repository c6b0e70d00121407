#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "journal/heads.h"
#include "runtime/codec.h"
#include "server/keeper.h"
#include "server/secrets.h"
#include "testing/small_domain.h"
#include "testing/temporary_directory.h"

namespace suan::server {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat about{};
  EXPECT_EQ(::stat(path.c_str(), &about), 0);
  return about.st_mode & 0777U;
}

TEST(Secrets, AreMadeOnceAndForTheirOwnerAlone) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/secret";
  EXPECT_EQ(read_or_make_secret(path, "first").value(), "first");
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(read_or_make_secret(path, "second").value(), "first");
}

TEST(Secrets, ThatOthersMayReadAreNoneAnyMore) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/secret";
  read_or_make_secret(path, "first").value();
  for (const mode_t open : {0640U, 0604U, 0620U}) {
    ASSERT_EQ(::chmod(path.c_str(), open), 0);
    const auto read = read_or_make_secret(path, "second");
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().kind, Failure::Kind::invalid);
    EXPECT_EQ(read.error().place, path);
  }
}

TEST(Secrets, NameThePlaceThatCannotBeWritten) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/absent/secret";
  const auto read = read_or_make_secret(path, "first");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, Failure::Kind::io);
  EXPECT_NE(read.error().text.find(path), std::string::npos) << read.error().text;
}

TEST(Secrets, AreNotTheSameTwice) {
  EXPECT_EQ(random_bytes(32).size(), 32U);
  EXPECT_NE(random_bytes(32), random_bytes(32));
}

/// A small domain whose journal a keeper looks after.
class Kept {
 public:
  Kept() {
    auto heads = journal::HeadWriter::open(
        {.key_path = directory_.path() + "/domain.key", .files = {heads_path()}});
    keeper = std::make_unique<Keeper>(domain.journal, *std::move(heads),
                                      domain.core->state().essence().sequence);
  }

  std::string heads_path() const { return directory_.path() + "/heads"; }

  void submit(std::uint64_t jobs) {
    for (std::uint64_t i = 1; i <= jobs; ++i)
      domain.put(runtime::small_job(), domain.caller(next_++));
    domain.settle();
  }

  journal::MemoryDisk disk;
  runtime::SmallDomain domain{disk};
  std::unique_ptr<Keeper> keeper;

 private:
  TemporaryDirectory directory_;
  std::uint64_t next_ = 1;
};

TEST(Keeper, SignsTheLastHeadAtTheEnd) {
  Kept kept;
  kept.submit(3);
  kept.keeper->stop(kept.domain.core->state());
  const auto file = journal::read_heads(kept.heads_path()).value();
  ASSERT_FALSE(file.heads.empty());
  const journal::SignedHead& last = file.heads.back();
  EXPECT_EQ(last.head, kept.domain.journal.head());
  EXPECT_TRUE(journal::is_signed_by(file.public_key, last.head, last.signature));
  EXPECT_FALSE(kept.domain.journal.read_snapshot().value().has_value());  // Not worth one.
}

TEST(Keeper, LeavesASnapshotAtTheEndIfMuchHasHappened) {
  Kept kept;
  kept.submit(1'200);
  const domain::State& state = kept.domain.core->state();
  kept.keeper->stop(state);
  const auto snapshot = kept.domain.journal.read_snapshot().value();
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ(snapshot->sequence, state.essence().sequence);
  const auto again = runtime::decode_state(snapshot->bytes);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(runtime::state_hash(*again), runtime::state_hash(state));
}

TEST(Keeper, MayEndWithoutHavingBeenStopped) {
  Kept kept;
  kept.submit(1);
  kept.keeper.reset();
  EXPECT_FALSE(kept.domain.journal.read_snapshot().value().has_value());
}

}  // namespace
}  // namespace suan::server
