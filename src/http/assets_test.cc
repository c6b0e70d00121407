#include "http/assets.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace suan::http {
namespace {

TEST(ConsoleAssets, AreOrderedUniqueAndComplete) {
  const std::span<const Asset> assets = console_assets();
  EXPECT_TRUE(std::ranges::is_sorted(assets, std::ranges::less_equal{}, &Asset::path))
      << "not ordered, or a path twice";
  for (const Asset& asset : assets) {
    SCOPED_TRACE(std::string(asset.path));
    EXPECT_TRUE(asset.path == "/index.html" || asset.path.starts_with("/assets/"));
    EXPECT_FALSE(asset.content_type.empty());
    EXPECT_TRUE(asset.gzip_bytes.starts_with("\x1f\x8b")) << "not gzip";
    EXPECT_TRUE(asset.etag.starts_with('"') && asset.etag.ends_with('"') && asset.etag.size() > 10);
  }
}

TEST(ConsoleAssets, HaveAnIndexIfThereAreAny) {
  const std::span<const Asset> assets = console_assets();
  if (assets.empty()) GTEST_SKIP() << "built without the console";
  const auto index = std::ranges::find(assets, "/index.html", &Asset::path);
  ASSERT_NE(index, assets.end());
  EXPECT_EQ(index->content_type, "text/html; charset=utf-8");
}

}  // namespace
}  // namespace suan::http
