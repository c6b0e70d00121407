#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

/// How quickly data came from where it was brought from last: a small file for each store and each
/// host of URLs, written by whatever process moves data and read by whoever plans.
namespace suan::engine {

struct Speed {
  std::int64_t bytes_per_second = 0;  // 0 = not known.
  Span age;                           // How long ago that was.
};

/// What is smaller tells how long it takes to begin.
inline constexpr std::int64_t bytes_that_tell_speed = 1'000'000;

/// Whatever goes wrong, nothing is noted: it only informs. `directory` "" notes nothing.
void note_speed(const std::string& directory, std::string_view source, std::int64_t bytes,
                Span took);

Speed find_speed(const std::string& directory, std::string_view source);

}  // namespace suan::engine
