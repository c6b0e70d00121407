#include "http/assets.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace suan::http {
namespace {

TEST(ConsoleAssets, AreOrderedCompleteAndFound) {
  const std::span<const Asset> assets = console_assets();
  EXPECT_TRUE(std::ranges::is_sorted(assets, {}, &Asset::path));
  std::set<std::string_view> paths;
  for (const Asset& asset : assets) {
    SCOPED_TRACE(std::string(asset.path));
    EXPECT_TRUE(paths.insert(asset.path).second);
    EXPECT_TRUE(asset.path.starts_with('/'));
    EXPECT_FALSE(asset.content_type.empty());
    EXPECT_TRUE(asset.gzip_bytes.starts_with("\x1f\x8b")) << "not gzip";
    EXPECT_TRUE(asset.etag.starts_with('"') && asset.etag.ends_with('"') && asset.etag.size() > 10);
    EXPECT_EQ(find_asset(asset.path), &asset);
  }
}

TEST(ConsoleAssets, HaveAnIndexAtTheRootIfThereAreAny) {
  EXPECT_EQ(find_asset("/"), find_asset("/index.html"));
  EXPECT_EQ(find_asset("/") == nullptr, console_assets().empty());
  const Asset* index = find_asset("/");
  if (index == nullptr) GTEST_SKIP() << "built without the console";
  EXPECT_EQ(index->content_type, "text/html; charset=utf-8");
}

TEST(ConsoleAssets, AreNothingElse) {
  EXPECT_EQ(find_asset(""), nullptr);
  EXPECT_EQ(find_asset("/index.html/"), nullptr);
  EXPECT_EQ(find_asset("/../index.html"), nullptr);
}

}  // namespace
}  // namespace suan::http
