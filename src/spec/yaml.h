#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

/// YAML 1.2 to JSON, for files that people write. JSON is YAML, so `run.json` is read as well.
namespace suan::spec {

/// A place in a file; both count from 1, columns in bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  friend bool operator==(const Position&, const Position&) = default;
};

struct YamlText {
  std::string json;
  std::map<std::string, Position, std::less<>> positions;  // By JSON pointer: of names, elements.

  /// Where the value of a JSON pointer stands; of one that the file does not have, where the
  /// nearest thing around it stands.
  Position find(std::string_view pointer) const;
};

/// Reads exactly one document of at most 1 MiB, 32 levels and, with its aliases written out, 4 MiB
/// of JSON. Plain scalars are typed by the core schema of YAML 1.2: `no`, `on` and `12:30:00` are
/// texts, and so is `007`, which a number would lose. Refused, with "line:column" in `place`: what
/// is not YAML or not UTF-8, names given twice, names that are not scalars, tags of one's own,
/// infinities and NaN.
Result<YamlText> read_yaml(std::string_view yaml);

}  // namespace suan::spec
