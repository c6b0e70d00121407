#include "net/url.h"

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::net {
namespace {

using Pairs = std::vector<QueryPair>;
using Texts = std::vector<std::string>;

TEST(Url, TakesAUrlApart) {
  const auto url = parse_url("HTTP://Example.COM:8901/v1/jobs?wide=1#part");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "http");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8901);
  EXPECT_EQ(url->target, "/v1/jobs?wide=1");
  EXPECT_EQ(print_authority(*url), "example.com:8901");
}

TEST(Url, KnowsTheSchemesPortsAndAddressesInBrackets) {
  const auto plain = parse_url("https://a.cn");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->port, 443);
  EXPECT_EQ(plain->target, "/");
  EXPECT_EQ(print_authority(*plain), "a.cn");
  const auto v6 = parse_url("http://[::1]:80?x=1");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->target, "/?x=1");
  EXPECT_EQ(print_authority(*v6), "[::1]");
}

TEST(Url, RefusesWhatIsNotAUrl) {
  for (const char* text : {"",
                           "http",
                           "http:",
                           "http://",
                           "ftp://a/",
                           "//a/",
                           "http:///x",
                           "http://a:0/",
                           "http://a:65536/",
                           "http://a:/",
                           "http://a:8x/",
                           "http://user@a/",
                           "http://user:pw@a/",
                           "http://a b/",
                           "http://[::1/",
                           "http://[zz]/",
                           "http://a/%zz",
                           "http://a/\n",
                           "http://a/../b",
                           "http://a/\xC3\xA9",
                           "http://\xC3\xA9/",
                           "http://a:+80/",
                           "http://a:-1/"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
  EXPECT_FALSE(parse_url("http://a/" + std::string(url_bytes_max, 'x')));
}

TEST(Url, DecodesTargets) {
  const auto target = parse_target("/a%20b/%E7%AE%97?x=1+2&y&=z&&x=%26%3d");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a b/算");
  EXPECT_EQ(target->query, (Pairs{{"x", "1 2"}, {"y", ""}, {"", "z"}, {"x", "&="}}));
  EXPECT_EQ(parse_target("/a+b")->path, "/a+b");
}

TEST(Url, RefusesHostileTargets) {
  for (const char* text :
       {"",        "a",       "*",           "/%",      "/%2",        "/%2g",          "/%00",
        "/%0a",    "/%7f",    "/%ff",        "/%c0%af", "/%ed%a0%80", "/%f5%80%80%80", "/%e7%ae",
        "/..",     "/a/../b", "/a/%2e%2E/b", "/./a",    "/a/.",       "/a/..%2fb",     "/?x=%",
        "/?x=%ff", "/?x=%00", "/a b",        "/<"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
  std::string many = "/?";
  for (std::size_t i = 0; i < query_pairs_max; ++i) many += "a&";
  EXPECT_TRUE(parse_target(many));
  EXPECT_FALSE(parse_target(many + "a"));
}

TEST(Url, SplitsPathsKeepingEncodedSlashesInside) {
  EXPECT_EQ(split_path("/").value(), Texts{});
  EXPECT_EQ(split_path("/v1/id/86.100%2Fabc?x=/").value(), (Texts{"v1", "id", "86.100/abc"}));
  EXPECT_EQ(split_path("/a//b/").value(), (Texts{"a", "", "b", ""}));
  EXPECT_FALSE(split_path("/a%2f..%2fb"));
  EXPECT_FALSE(split_path("/%2e%2e"));
}

TEST(Url, WhatIsEncodedDecodesToItself) {
  for_each_seed([](Random& random) {
    std::string path = "/";
    Pairs query;
    const auto text = [&] {
      constexpr std::string_view alphabet = "ab /%?&=+#\"<>~\xE7\xAE\x97";
      std::string out;
      for (std::size_t i = random.below(8U); i > 0; --i) {
        const std::size_t at = random.below(alphabet.size() - 2);
        out += at == alphabet.size() - 3 ? alphabet.substr(at, 3) : alphabet.substr(at, 1);
      }
      return out;
    };
    path += text();
    for (std::size_t i = random.below(4U); i > 0; --i) query.emplace_back("k" + text(), text());
    const auto target = parse_target(encode_path(path) + "?" + print_query(query));
    ASSERT_TRUE(target) << path;
    EXPECT_EQ(target->path, path);
    EXPECT_EQ(target->query, query);
    EXPECT_EQ(percent_decode(percent_encode(path)).value(), path);
  });
}

}  // namespace
}  // namespace suan::net
