#pragma once

#include <span>
#include <string_view>

namespace suan::http {

/// One file of the web console, as it lies in the binary. The views live as long as the program.
struct Asset {
  std::string_view path;          // "/index.html", which is also what "/" shows.
  std::string_view content_type;  // "text/html; charset=utf-8".
  std::string_view gzip_bytes;    // RFC 1952; sent as they are with `Content-Encoding: gzip`.
  std::string_view etag;          // A strong entity tag with its quotes (RFC 9110 §8.8.3).
};

/// Every file of the console, ordered by path and each path once; empty when the program was built
/// without it. All but "/index.html" have a digest of their content in their names, so they may be
/// cached for ever. The console needs no more than `Content-Security-Policy: default-src 'self';
/// style-src 'self' 'unsafe-inline'; img-src 'self' data:`. Any thread.
std::span<const Asset> console_assets();

}  // namespace suan::http
