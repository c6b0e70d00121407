#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "engine/image_layout.h"
#include "engine/image_tree.h"

/// What the engine parses of images: nothing may crash, no path leads upwards, every digest is one
/// and no text has a zero byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace suan;
  using namespace suan::engine;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto parts = parse_archive_path(text))
    for (const std::string& each : *parts)
      ensure(!each.empty() && each != "." && each != ".." && each.find('/') == std::string::npos &&
             each.find('\0') == std::string::npos);
  if (const auto parts = parse_saved_manifest(text))
    ensure(parts->layers.size() <= image_layers_max);
  if (const auto parts = parse_manifest(text))
    for (const std::string& each : parts->layers) ensure(each.size() == blob_path("").size() + 64);
  if (const auto index = parse_index(text)) {
    for (const Descriptor& each : *index) ensure(each.sha256.size() == 64);
    if (const auto chosen = choose_image(*index, "amd64"))
      ensure(chosen->machine.empty() || chosen->machine == "amd64");
  }
  if (const auto config = parse_image_config(text))
    for (const std::string& each : config->variables)
      ensure(each.find('=') != std::string::npos && each.find('\0') == std::string::npos);
  const std::size_t user = text.find('\n');
  if (user == std::string_view::npos) return 0;
  const std::string_view files = text.substr(user + 1);
  const std::size_t half = files.size() / 2;
  if (const auto found =
          find_image_user(text.substr(0, user), files.substr(0, half), files.substr(half)))
    ensure(found->home.starts_with('/'));
  return 0;
}
