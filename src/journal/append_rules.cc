#include "journal/append_rules.h"

#include <string>

#include "base/ensure.h"

namespace suan::journal {

using Kind = Failure::Kind;

void FollowAnswer::take(std::uint64_t first, std::span<const RecordView> batch) {
  for (std::size_t i = first < from ? from - first : 0; i < batch.size() && !is_full(); ++i) {
    bytes += batch[i].bytes.size();
    records.push_back({first + i, batch[i].moment, std::string(batch[i].bytes)});
  }
}

Result<void> check_batch(const Batch& batch) {
  if (batch.empty()) return failure(Kind::invalid, "a batch has at least one record");
  if (batch.size() > batch_records_limit)
    return failure(Kind::invalid, "a batch has at most 65536 records");
  if (batch.encoded().size() > batch_bytes_limit)
    return failure(Kind::invalid, "a batch has at most 64 MiB");
  return {};
}

Result<void> check_turn(Turn caller, Turn present) {
  if (caller.leader_epoch != present.leader_epoch)
    return failure(Kind::conflict, "the leader of epoch " + std::to_string(caller.leader_epoch) +
                                       " may not append: epoch " +
                                       std::to_string(present.leader_epoch) + " leads");
  if (caller.sequence != present.sequence)
    return failure(Kind::conflict, "the journal ends at record " +
                                       std::to_string(present.sequence) + ", not at " +
                                       std::to_string(caller.sequence));
  return {};
}

Result<std::vector<RecordView>> read_chained(const Head& before, std::string_view encoded,
                                             std::uint64_t count, const Digest& after) {
  auto records = read_batch(encoded, count);
  const std::string place = "records " + std::to_string(before.sequence + 1) + " to " +
                            std::to_string(before.sequence + count);
  if (!records)
    return failure(Kind::invalid, "damaged: " + records.error().text,
                   place + ", " + records.error().place);
  if (extend(before, encoded).hash != after)
    return failure(Kind::invalid, "damaged: the bytes do not have the hash they were stored with",
                   place);
  return records;
}

Digest hash_through(const Head& before, std::span<const RecordView> records,
                    std::uint64_t sequence) {
  ensure(sequence > before.sequence && sequence - before.sequence <= records.size());
  Digest hash = before.hash;
  for (std::uint64_t at = before.sequence + 1; at <= sequence; ++at)
    hash = hash_record(hash, at, records[at - before.sequence - 1].encoded);
  return hash;
}

}  // namespace suan::journal
