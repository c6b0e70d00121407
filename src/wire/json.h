#pragma once

#include <string>
#include <string_view>

#include "wire/json_reader.h"
#include "wire/json_writer.h"

/// Records to JSON and back, driven by their fields():
///
///     numbers, bools    as they are; integers as integers, also beyond 2^53
///     Money             a decimal string of CNY: "12.5"    (read: also a number, ≤ 6 decimals)
///     Span              a number of seconds: 90.25         (read: also "1m30s")
///     Moment            RFC 3339: "2026-11-23T08:00:00Z"   (null when never set)
///     ids               "job-42"                           (null for none)
///     Digest            64 hexadecimal digits              (read: also null for none)
///     RequestId         a UUID                             (null for none)
///     enumerators       their names
///     lists, maps       arrays, objects
///     optional, shared  the value or null
///
/// Every field is written; a field that is missing when read keeps its default. Fields that nobody
/// knows are mistakes, as are wrong types, values out of range, names given twice and invalid
/// UTF-8.
namespace suan::wire {

template <Record T>
std::string to_json(const T& value) {
  std::string out;
  JsonWriter(out).record(value);
  return out;
}

/// `invalid` with the first mistake; `place` is its JSON pointer.
template <Record T>
Result<T> from_json(std::string_view text, const JsonLimits& limits = {}) {
  SUAN_TRY(const JsonTree tree, parse_json(text, limits));
  T value{};
  JsonReader reader;
  reader.read(tree.root(), value);
  if (!reader.mistakes().empty()) {
    Mistake first = std::move(reader.take_mistakes().front());
    return failure(Failure::Kind::invalid, std::move(first.text), std::move(first.pointer));
  }
  return value;
}

}  // namespace suan::wire
