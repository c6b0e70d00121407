// Any bytes are a batch that writes back the same, or are refused.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ensure.h"
#include "journal/append_rules.h"
#include "journal/byte_order.h"
#include "journal/chain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace suan;
  using namespace suan::journal;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.size() < 4) return 0;
  // Small counts are likely and large ones possible.
  const std::uint32_t number = read_u32(input.data());
  const std::uint64_t count = (number & 1U) != 0 ? number : (number >> 1U) % 16;
  const std::string_view encoded = input.substr(4);
  const auto records = read_batch(encoded, count);
  if (!records) return 0;
  ensure(records->size() == count);
  Batch again;
  for (const RecordView& record : *records) again.add(record.moment, record.bytes);
  ensure(again.encoded() == encoded);
  const Head before{.sequence = 41, .hash = {}, .moment = {}};
  const Head after = extend(before, encoded);
  ensure(after.sequence == 41 + count);
  ensure(after.hash == hash_through(before, *records, after.sequence));
  ensure(read_chained(before, encoded, count, after.hash).has_value());
  return 0;
}
