// Whatever another domain may send: what parses prints as the same bytes or shorter ones, and those
// parse as the same again.
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "uplink/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto frame = suan::uplink::parse_frame(bytes);
  if (!frame) return 0;
  const std::string printed = suan::uplink::print_frame(*frame);
  const auto again = suan::uplink::parse_frame(printed);
  suan::ensure(again.has_value());
  suan::ensure(suan::uplink::print_frame(*again) == printed);
  return 0;
}
