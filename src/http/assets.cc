#include "http/assets.h"

#include <algorithm>

namespace suan::http {

const Asset* find_asset(std::string_view path) {
  if (path == "/") path = "/index.html";
  const std::span<const Asset> assets = console_assets();
  const auto found = std::ranges::lower_bound(assets, path, {}, &Asset::path);
  return found != assets.end() && found->path == path ? &*found : nullptr;
}

}  // namespace suan::http
