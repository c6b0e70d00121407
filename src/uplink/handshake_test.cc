#include "uplink/handshake.h"

#include <gtest/gtest.h>

#include "testing/temporary_directory.h"

namespace suan::uplink {
namespace {

class Handshake : public testing::Test {
 protected:
  journal::SigningKey make_key(const std::string& name) {
    return *journal::SigningKey::load_or_create(directory.path() + "/" + name);
  }

  TemporaryDirectory directory;
  journal::SigningKey parent = make_key("parent.key");
  journal::SigningKey child = make_key("child.key");
  Greeting greeting{version_min, version_max, make_nonce()};
};

TEST_F(Handshake, EachSideProvesItsKey) {
  Challenge challenge{1, "parent", {}, make_nonce(), ""};
  sign(challenge, greeting, parent);
  EXPECT_EQ(challenge.key.bytes, parent.public_key());
  EXPECT_TRUE(is_signed(challenge, greeting));
  Hello hello{"child", {}, "join_1", "", ""};
  sign(hello, greeting, challenge, child);
  EXPECT_TRUE(is_signed(hello, greeting, challenge));
}

TEST_F(Handshake, NothingOfItCanBeChanged) {
  Challenge challenge{1, "parent", {}, make_nonce(), ""};
  sign(challenge, greeting, parent);
  Challenge other = challenge;
  other.domain = "another";
  EXPECT_FALSE(is_signed(other, greeting));
  other = challenge;
  other.key.bytes = child.public_key();
  EXPECT_FALSE(is_signed(other, greeting));
  EXPECT_FALSE(is_signed(challenge, Greeting{version_min, version_max, make_nonce()}));
  other = challenge;
  other.signature.pop_back();
  EXPECT_FALSE(is_signed(other, greeting));

  Hello hello{"child", {}, "join_1", "", ""};
  sign(hello, greeting, challenge, child);
  Hello stolen = hello;
  stolen.token = "join_2";
  EXPECT_FALSE(is_signed(stolen, greeting, challenge));
  // What was said to one parent does not serve with another, nor a second time.
  Challenge again = challenge;
  again.nonce = make_nonce();
  sign(again, greeting, parent);
  EXPECT_FALSE(is_signed(hello, greeting, again));
  sign(again, greeting, child);
  EXPECT_FALSE(is_signed(hello, greeting, again));
}

TEST_F(Handshake, TheNewestCommonVersionIsSpoken) {
  EXPECT_EQ(common_version({1, 1, {}}), 1U);
  EXPECT_EQ(common_version({1, 7, {}}), version_max);
  EXPECT_EQ(common_version({version_max + 1, version_max + 2, {}}), std::nullopt);
  EXPECT_EQ(common_version({0, 0, {}}), std::nullopt);
}

}  // namespace
}  // namespace suan::uplink
