#include "naming/identifier.h"

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::naming {
namespace {

Result<Identifier> parse(std::string_view text) {
  return Codecs().parse(text);
}

TEST(Identifier, NamesADomainASiteOrAPool) {
  EXPECT_EQ(*parse("suan:cn"), (Identifier{{"cn"}, "", ""}));
  EXPECT_EQ(parse("suan:cn")->kind(), Kind::domain);
  EXPECT_EQ(*parse("suan:cn:hubei/wuhan"), (Identifier{{"cn", "hubei"}, "wuhan", ""}));
  EXPECT_EQ(parse("suan:cn:hubei/wuhan")->kind(), Kind::site);
  EXPECT_EQ(*parse("suan:cn:hubei:lab/wuhan.east/h800-8"),
            (Identifier{{"cn", "hubei", "lab"}, "wuhan.east", "h800-8"}));
  EXPECT_EQ(parse("suan:cn/a/b")->kind(), Kind::pool);
}

TEST(Identifier, IsRefusedWithTheRightForm) {
  for (const char* text : {"", "suan", "suan:", "suan::", "suan:cn:", "suan::cn", "suan:cn/",
                           "suan:cn//a", "suan:cn/a/", "suan:cn/a/b/c", "suan:/a", "suan:CN",
                           "suan:c n", "cn", "urn:cn", "suan:cn/a//", "suan:\xE4\xB8\xAD"}) {
    const auto found = parse(text);
    ASSERT_FALSE(found) << text;
    EXPECT_NE(found.error().text.find("suan:cn:hubei:wuhan"), std::string::npos);
  }
  EXPECT_FALSE(parse("suan:" + std::string(64, 'a')));
  std::string deep = "suan";
  for (int i = 0; i < 17; ++i) deep += ":a";
  EXPECT_FALSE(parse(deep));
}

TEST(Identifier, WhatIsPrintedIsReadBack) {
  for_each_seed([](Random& random) {
    const auto name = [&] {
      std::string text;
      do text += "az09-_."[random.below(7U)];
      while (random.chance(3, 4) && text.size() < 63);
      return text;
    };
    Identifier identifier;
    do identifier.domains.push_back(name());
    while (random.chance(1, 2) && identifier.domains.size() < 16);
    if (random.chance(1, 2)) identifier.site = name();
    if (!identifier.site.empty() && random.chance(1, 2)) identifier.pool = name();
    const auto again = parse(standard_codec().print(identifier));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, identifier);
  });
}

/// As a URN (RFC 8141) would be.
class UrnCodec final : public Codec {
 public:
  std::string_view scheme() const override { return "urn"; }
  Result<Identifier> parse(std::string_view text) const override {
    return standard_codec().parse(text.substr(text.find(':') + 1));
  }
  std::string print(const Identifier& identifier) const override {
    return "urn:" + standard_codec().print(identifier);
  }
};

TEST(Identifier, OtherCodecsCanBePutBesideIt) {
  const UrnCodec urn;
  Codecs codecs;
  codecs.add(urn);
  EXPECT_EQ(*codecs.parse("urn:suan:cn/a"), (Identifier{{"cn"}, "a", ""}));
  EXPECT_EQ(*codecs.parse("suan:cn/a"), (Identifier{{"cn"}, "a", ""}));
}

TEST(Identifier, LiesBelowTheDomainsItBeginsWith) {
  EXPECT_TRUE(lies_below({"cn", "hubei"}, {"cn"}));
  EXPECT_TRUE(lies_below({"cn"}, {"cn"}));
  EXPECT_FALSE(lies_below({"cn"}, {"cn", "hubei"}));
  EXPECT_FALSE(lies_below({"us", "hubei"}, {"cn"}));
}

}  // namespace
}  // namespace suan::naming
