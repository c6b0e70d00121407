#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "model/attempt.h"
#include "model/spec.h"
#include "model/supply.h"
#include "wire/bytes.h"

namespace {

// What was decoded encodes to bytes that decode to the same.
template <class T>
void check(std::string_view bytes) {
  const auto value = suan::wire::decode<T>(bytes);
  if (!value) return;
  const std::string again = suan::wire::encode(*value);
  const auto same = suan::wire::decode<T>(again);
  suan::ensure(same.has_value() && suan::wire::encode(*same) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view view(reinterpret_cast<const char*>(bytes), size);
  check<suan::JobSpec>(view);
  check<suan::Launch>(view);
  check<suan::Payload>(view);
  check<suan::Progress>(view);
  check<suan::Pool>(view);
  return 0;
}
