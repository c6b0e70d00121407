#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

/// How Input::source and Output::to are written.
namespace suan {

inline bool is_url(std::string_view source) {
  return source.starts_with("https://") || source.starts_with("http://");
}

/// 1 to 63 letters, digits, dots, dashes and underscores, no dot or dash first.
inline bool is_store_name(std::string_view name) {
  constexpr std::size_t bytes_max = 63;
  return !name.empty() && name.size() <= bytes_max && name.front() != '-' && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

/// Names between slashes, none of which leads elsewhere, and no control characters.
inline bool is_plain_path(std::string_view path) {
  if (std::ranges::any_of(path,
                          [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }))
    return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace suan
