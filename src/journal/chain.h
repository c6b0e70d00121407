#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"
#include "journal/journal.h"

/// The hash chain and the bytes of a batch, without storage. Formats: docs/formats/journal.md.
namespace suan::journal {

/// Of each encoded record: the moment (8 bytes) and the length (4 bytes), little-endian.
constexpr std::size_t record_header_bytes = 12;

/// Appends one record to the bytes of a batch.
void write_record(std::string& encoded, Moment, std::string_view bytes);

/// A record inside the bytes of a batch, which outlive it.
struct RecordView {
  Moment moment;
  std::string_view bytes;
  std::string_view encoded;  // With its header.
};

/// Splits the bytes of a batch into exactly `count` records, for any bytes whatever. `invalid` with
/// the offset in `place` when they are not that.
Result<std::vector<RecordView>> read_batch(std::string_view encoded, std::uint64_t count);

/// The hash of record `sequence`: BLAKE2b-256 (RFC 7693), personalised "suan.journal.1", of the
/// hash before it, its sequence and its encoded bytes.
Digest hash_record(const Digest& before, std::uint64_t sequence, std::string_view encoded_record);

/// The head after a batch that follows `before`. `encoded` must be well formed.
Head extend(const Head& before, std::string_view encoded);

/// BLAKE2b-256 of bytes that stand alone, personalised `purpose` (at most 16 bytes).
Digest hash_bytes(std::string_view purpose, std::string_view bytes);

}  // namespace suan::journal
