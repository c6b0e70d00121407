// Any bytes are a heads file or are refused.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "journal/heads.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace suan::journal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = parse_heads(text);
  if (!file) return 0;
  for (const SignedHead& head : file->heads) {
    suan::ensure(head.head.sequence > 0 && head.line > 1);
    // Signatures of any bytes are judged without harm.
    static_cast<void>(is_signed_by(file->public_key, head.head, head.signature));
  }
  return 0;
}
