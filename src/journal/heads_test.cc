#include "journal/heads.h"

#include <sys/stat.h>

#include "journal/scratch.h"
#include "testing/property.h"

namespace suan::journal {
namespace {

using Kind = Failure::Kind;

Head head_of(std::uint64_t sequence) {
  Head head{.sequence = sequence, .hash = {}, .moment = {static_cast<std::int64_t>(sequence) * 10}};
  head.hash.bytes[0] = static_cast<std::uint8_t>(sequence);
  return head;
}

class Heads : public testing::Test {
 protected:
  std::unique_ptr<HeadWriter> open() {
    auto writer = HeadWriter::open(
        {.key_path = scratch_ / "domain.key", .files = {scratch_ / "heads", scratch_ / "copy"}});
    if (!writer) ADD_FAILURE() << writer.error().text;
    return *std::move(writer);
  }

  Scratch scratch_;
};

TEST_F(Heads, TheKeyIsMadeOnceAndPrivate) {
  const auto first = SigningKey::load_or_create(scratch_ / "k");
  const auto second = SigningKey::load_or_create(scratch_ / "k");
  const auto other = SigningKey::load_or_create(scratch_ / "other");
  ASSERT_TRUE(first.has_value() && second.has_value() && other.has_value());
  EXPECT_EQ(first->public_key(), second->public_key());
  EXPECT_NE(first->public_key(), other->public_key());
  struct stat status;
  ASSERT_EQ(::stat((scratch_ / "k").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::chmod((scratch_ / "k").c_str(), 0640), 0);
  EXPECT_EQ(SigningKey::load_or_create(scratch_ / "k").error().kind, Kind::invalid);
}

TEST_F(Heads, ADamagedKeyIsRefused) {
  ASSERT_TRUE(SigningKey::load_or_create(scratch_ / "k").has_value());
  std::string text = read_whole(scratch_ / "k");
  ASSERT_EQ(text.size(), 65U);
  write_whole(scratch_ / "k", text.substr(0, 64));
  EXPECT_EQ(SigningKey::load_or_create(scratch_ / "k").error().kind, Kind::invalid);
  text[10] = 'g';
  write_whole(scratch_ / "k", text);
  EXPECT_EQ(SigningKey::load_or_create(scratch_ / "k").error().kind, Kind::invalid);
}

TEST_F(Heads, AnyChangeOfAHeadOrItsSignatureShows) {
  const auto key = SigningKey::load_or_create(scratch_ / "k").value();
  for_each_seed(
      [&](Random& random) {
        const Head head = head_of(random.below(std::uint64_t{1'000'000}));
        Signature signature = key.sign(head);
        ASSERT_TRUE(is_signed_by(key.public_key(), head, signature));
        Head other = head;
        other.sequence ^= std::uint64_t{1} << random.below(64U);
        EXPECT_FALSE(is_signed_by(key.public_key(), other, signature));
        other = head;
        other.hash.bytes[random.below(32U)] ^= 1;
        EXPECT_FALSE(is_signed_by(key.public_key(), other, signature));
        other = head;
        other.moment.us ^= std::int64_t{1} << random.below(63U);
        EXPECT_FALSE(is_signed_by(key.public_key(), other, signature));
        signature[random.below(64U)] ^= static_cast<std::uint8_t>(1U << random.below(8U));
        EXPECT_FALSE(is_signed_by(key.public_key(), head, signature));
      },
      100);
}

TEST_F(Heads, WhatWasWrittenIsReadFromEveryFile) {
  {
    const auto writer = open();
    ASSERT_TRUE(writer->write(head_of(3)).has_value());
    ASSERT_TRUE(writer->write(head_of(3)).has_value());  // Nothing new, no line.
    ASSERT_TRUE(writer->write(head_of(9)).has_value());
  }
  ASSERT_TRUE(open()->write(head_of(12)).has_value());
  for (const char* name : {"heads", "copy"}) {
    const auto file = read_heads(scratch_ / name);
    ASSERT_TRUE(file.has_value());
    EXPECT_TRUE(file->unreadable_lines.empty());
    ASSERT_EQ(file->heads.size(), 3U);
    EXPECT_EQ(file->heads[0].head, head_of(3));
    EXPECT_EQ(file->heads[2].head, head_of(12));
    EXPECT_EQ(file->heads[2].line, 4U);
    for (const SignedHead& head : file->heads)
      EXPECT_TRUE(is_signed_by(file->public_key, head.head, head.signature));
  }
}

TEST_F(Heads, OneIsWrittenAtMostEverySoOften) {
  const auto writer = open();
  for (std::int64_t second = 0; second <= 150; second += 10)
    ASSERT_TRUE(writer
                    ->write_if_due(head_of(static_cast<std::uint64_t>(second) + 1),
                                   Moment{} + seconds(1'000 + second))
                    .has_value());
  const auto file = read_heads(scratch_ / "heads");
  ASSERT_EQ(file->heads.size(), 3U);
  EXPECT_EQ(file->heads[1].head.sequence, 61U);
  EXPECT_EQ(file->heads[2].head.sequence, 121U);
}

TEST_F(Heads, AFileCutAnywhereLosesOnlyItsLastLine) {
  ASSERT_TRUE(open()->write(head_of(1)).has_value());
  ASSERT_TRUE(open()->write(head_of(2)).has_value());
  const std::string whole = read_whole(scratch_ / "heads");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_whole(scratch_ / "heads", whole.substr(0, size));
    ASSERT_TRUE(open()->write(head_of(7)).has_value()) << size;
    const auto file = read_heads(scratch_ / "heads");
    ASSERT_TRUE(file.has_value()) << size;
    EXPECT_TRUE(file->unreadable_lines.empty());
    EXPECT_EQ(file->heads.back().head, head_of(7));
  }
}

TEST_F(Heads, AnotherKeyMayNotContinueAFile) {
  ASSERT_TRUE(open()->write(head_of(1)).has_value());
  const auto other =
      HeadWriter::open({.key_path = scratch_ / "another.key", .files = {scratch_ / "heads"}});
  EXPECT_EQ(other.error().kind, Kind::conflict);
}

TEST_F(Heads, AnyBytesAreReadOrRefused) {
  for_each_seed([&](Random& random) {
    std::string text;
    if (random.chance(3, 4)) text = "suan.heads.1 " + std::string(64, 'a') + "\n";
    for (auto size = random.below(300U); size > 0; --size)
      text += "0123456789abcdef \n\0x"[random.below(20U)];
    write_whole(scratch_ / "any", text);
    const auto file = read_heads(scratch_ / "any");
    if (file) {
      EXPECT_TRUE(file->heads.empty());
    }
  });
}

}  // namespace
}  // namespace suan::journal
