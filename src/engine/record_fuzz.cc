#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "engine/attempt_files.h"
#include "engine/cgroup_mounts.h"
#include "engine/discovery.h"

/// Everything that the engine parses from files: nothing may crash, whatever is whole is read the
/// same again, and no end is accepted that is none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace suan;
  using namespace suan::engine;
  const std::string_view file(reinterpret_cast<const char*>(bytes), size);
  const AttemptRecord record = parse_record(file, nullptr);
  ensure(record.bytes_whole <= size && record.is_torn == (record.bytes_whole < size));
  if (record.end)
    ensure(record.end->end != AttemptEnd::none && record.end->end <= attempt_end_last);
  const AttemptRecord again = parse_record(file.substr(0, record.bytes_whole), nullptr);
  ensure(again.bytes_whole == record.bytes_whole && !again.is_torn);
  ensure(wire::encode<RecordEntry>(again) == wire::encode<RecordEntry>(record));
  // Damage behind frames hides the parser from the fuzzer, so it also gets entries without them.
  if (const auto entry = wire::decode<RecordEntry>(file)) {
    const std::string framed = frame(wire::encode(*entry));
    ensure(unframe(framed).size() == 1);
  }
  if (const auto control = parse_control(frame(file))) ensure(control->stop <= attempt_end_last);
  if (const auto key = parse_key(file)) ensure(print_key(*key) == file);
  const std::size_t half = size / 2;
  parse_own_cgroups(file.substr(0, half), file.substr(half));
  if (const auto total = parse_memory_total(file)) ensure(*total >= 0);
  if (const auto cpu = parse_cpu_max(file)) ensure(*cpu >= 0);
  return 0;
}
