#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "model/attempt.h"
#include "model/spec.h"
#include "wire/json.h"
#include "wire/json_view.h"

namespace {

// What was read writes to text that reads as the same.
template <class T>
void check(std::string_view text) {
  const auto value = suan::wire::from_json<T>(text);
  if (!value) return;
  const std::string again = suan::wire::to_json(*value);
  const auto same = suan::wire::from_json<T>(again);
  suan::ensure(same.has_value() && suan::wire::to_json(*same) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check<suan::JobSpec>(text);
  check<suan::Payload>(text);
  const auto pretty = suan::wire::print_pretty(text);
  if (pretty) suan::ensure(suan::wire::print_pretty(*pretty) == *pretty);
  suan::ensure(suan::wire::print_yaml(text).has_value() == pretty.has_value());
  return 0;
}
