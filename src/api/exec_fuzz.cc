// Feeds arbitrary bytes to the messages of an exec stream. What is accepted is within the limits
// and is printed as it came.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/exec.h"
#include "base/ensure.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace suan;
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(bytes)), size);
  const auto message = api::parse_exec(text);
  if (!message) return 0;
  ensure(api::print_exec(*message) == text);
  ensure(message->bytes.size() <= api::exec_begin_bytes_max);
  ensure(message->number <= api::exec_window_bytes);
  return 0;
}
