#include "server/join_options.h"

#include <gtest/gtest.h>

namespace suan::server {
namespace {

TEST(JoinOptions, AParentIsAnAddress) {
  EXPECT_EQ(*parse_join_url("https://Hubei.example.cn"), "https://hubei.example.cn");
  EXPECT_EQ(*parse_join_url("https://hubei.example.cn:8901/"), "https://hubei.example.cn:8901");
  EXPECT_EQ(*parse_join_url("https://[2001:db8::1]:8901"), "https://[2001:db8::1]:8901");
  for (const char* bad : {"", "hubei", "ftp://hubei", "wss://hubei", "https://", "https://a/b",
                          "https://a/?b", "https://u:p@a"})
    EXPECT_FALSE(parse_join_url(bad)) << bad;
}

TEST(JoinOptions, PlainHttpStaysOnThisMachine) {
  for (const char* good : {"http://127.0.0.1:8901", "http://localhost:8901", "http://[::1]:8901"})
    EXPECT_EQ(*parse_join_url(good), good);
  for (const char* bad : {"http://hubei.example.cn", "http://127.evil.example", "http://10.0.0.1",
                          "http://localhost.evil.example"}) {
    const auto parsed = parse_join_url(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_NE(parsed.error().text.find("unencrypted"), std::string::npos);
  }
}

TEST(JoinOptions, AreCheckedTogether) {
  const auto options =
      make_join_options({"https://a", "https://b", "https://a/"}, "join_09af", "c");
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->urls, (std::vector<std::string>{"https://a", "https://b"}));
  EXPECT_EQ(options->token, "join_09af");
  EXPECT_EQ(options->ca_file, "c");
  EXPECT_TRUE(make_join_options({}, "", ""));
  EXPECT_FALSE(make_join_options({"https://a"}, "suan_09af", ""));
  EXPECT_FALSE(make_join_options({"https://a"}, "join_", ""));
  EXPECT_FALSE(make_join_options({"https://a"}, "join_0 1", ""));
}

}  // namespace
}  // namespace suan::server
