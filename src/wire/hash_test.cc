#include "wire/hash.h"

#include <gtest/gtest.h>

#include "model/ids.h"
#include "testing/property.h"

namespace suan::wire {
namespace {

// Made with `printf … | b2sum -l 256` of coreutils.
TEST(Hash, IsBlake2bOf256Bits) {
  EXPECT_EQ(print_digest(hash("")),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(print_digest(hash("abc")),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(Hash, DoesNotDependOnWhereThePiecesAreCut) {
  for_each_seed(
      [](Random& random) {
        std::string bytes(random.below(2000U), '\0');
        for (char& c : bytes) c = static_cast<char>(random.below(256U));
        Hasher hasher;
        std::string_view rest = bytes;
        while (!rest.empty()) {
          const std::size_t size = 1 + random.below(rest.size());
          hasher.update(rest.substr(0, size));
          rest.remove_prefix(size);
        }
        EXPECT_EQ(hasher.finish(), hash(bytes));
      },
      50);
}

TEST(Hash, OfAKeyDiffersFromPlainAndFromOtherKeys) {
  const std::string key(32, 'k');
  const Digest keyed = keyed_hash(key, "abc");
  EXPECT_NE(keyed, hash("abc"));
  EXPECT_NE(keyed, keyed_hash(std::string(32, 'l'), "abc"));
  Hasher hasher(key);
  hasher.update("a");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish(), keyed);
}

TEST(Hash, OfARecordIsOfItsBytes) {
  const TaskKey key{{5}, 1};
  EXPECT_EQ(hash_record(key), hash(encode(key)));
}

TEST(HashDeathTest, AShortKeyOrASecondFinishIsABug) {
  EXPECT_DEATH(keyed_hash("short", "abc"), "");
  Hasher hasher;
  hasher.finish();
  EXPECT_DEATH(hasher.finish(), "");
}

}  // namespace
}  // namespace suan::wire
