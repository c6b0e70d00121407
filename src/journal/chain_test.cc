#include "journal/chain.h"

#include "testing/property.h"

namespace suan::journal {
namespace {

std::string random_bytes(Random& random, std::size_t size_max) {
  std::string bytes(random.below(size_max + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

TEST(Chain, ABatchReadsBackAsItWasWritten) {
  for_each_seed([](Random& random) {
    Batch batch;
    std::vector<std::pair<Moment, std::string>> added;
    const auto count = random.between(1, 20);
    for (std::int64_t i = 0; i < count; ++i) {
      added.emplace_back(Moment{random.between(INT64_MIN / 2, INT64_MAX / 2)},
                         random_bytes(random, 300));
      batch.add(added.back().first, added.back().second);
    }
    const auto read = read_batch(batch.encoded(), batch.size());
    ASSERT_TRUE(read.has_value());
    ASSERT_EQ(read->size(), added.size());
    for (std::size_t i = 0; i < added.size(); ++i) {
      EXPECT_EQ((*read)[i].moment, added[i].first);
      EXPECT_EQ((*read)[i].bytes, added[i].second);
    }
    EXPECT_EQ(batch.last_moment(), added.back().first);
  });
}

TEST(Chain, EveryCutAndEveryWrongCountIsRefused) {
  Batch batch;
  batch.add({1}, "one");
  batch.add({2}, "");
  batch.add({3}, "three");
  const std::string_view all = batch.encoded();
  for (std::size_t size = 0; size < all.size(); ++size)
    EXPECT_FALSE(read_batch(all.substr(0, size), 3).has_value()) << size;
  EXPECT_FALSE(read_batch(std::string(all) + "x", 3).has_value());
  EXPECT_FALSE(read_batch(all, 2).has_value());
  EXPECT_FALSE(read_batch(all, 4).has_value());
  EXPECT_FALSE(read_batch("", 0).has_value());
  EXPECT_FALSE(read_batch(all, UINT64_MAX).has_value());
  EXPECT_TRUE(read_batch(all, 3).has_value());
}

TEST(Chain, AnyChangedBitChangesTheHash) {
  for_each_seed([](Random& random) {
    Batch batch;
    const auto count = random.between(1, 5);
    for (std::int64_t i = 0; i < count; ++i)
      batch.add({random.between(0, 1'000'000)}, random_bytes(random, 40));
    const Head before{.sequence = random.below(std::uint64_t{100}), .hash = {}, .moment = {}};
    const Head after = extend(before, batch.encoded());
    EXPECT_EQ(after.sequence, before.sequence + batch.size());
    EXPECT_EQ(after.moment, batch.last_moment());

    std::string flipped(batch.encoded());
    flipped[random.below(flipped.size())] ^= static_cast<char>(1 << random.below(8U));
    if (read_batch(flipped, batch.size()).has_value()) {
      EXPECT_NE(extend(before, flipped).hash, after.hash);
    }
    Head other = before;
    other.hash.bytes[random.below(std::size_t{32})] ^= 1;
    EXPECT_NE(extend(other, batch.encoded()).hash, after.hash);
    other = before;
    ++other.sequence;
    EXPECT_NE(extend(other, batch.encoded()).hash, after.hash);
  });
}

TEST(Chain, TheHashDoesNotDependOnHowRecordsWereBatched) {
  Batch first;
  Batch second;
  Batch both;
  first.add({5}, "a");
  second.add({6}, "b");
  both.add({5}, "a");
  both.add({6}, "b");
  EXPECT_EQ(extend(extend(Head{}, first.encoded()), second.encoded()),
            extend(Head{}, both.encoded()));
}

TEST(Chain, ABatchKnowsItsLimits) {
  Batch batch;
  EXPECT_TRUE(batch.has_room(record_bytes_limit));
  EXPECT_FALSE(batch.has_room(record_bytes_limit + 1));
  const std::string large(record_bytes_limit, 'x');
  for (int i = 0; i < 3; ++i) batch.add({}, large);
  EXPECT_FALSE(batch.has_room(record_bytes_limit));
  EXPECT_TRUE(batch.has_room(1));
  EXPECT_EQ(read_batch(batch.encoded(), 3)->size(), 3U);
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(batch.encoded().empty());
}

}  // namespace
}  // namespace suan::journal
