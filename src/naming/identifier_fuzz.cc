#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "naming/identifier.h"

// What is taken is printed as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: bytes.
  const auto parsed = suan::naming::Codecs().parse(text);
  if (parsed && suan::naming::standard_codec().print(*parsed) != text) std::abort();
  return 0;
}
