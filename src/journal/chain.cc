#include "journal/chain.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <sodium.h>

#include "base/ensure.h"
#include "journal/byte_order.h"

namespace suan::journal {

namespace {

using Personal = std::array<unsigned char, crypto_generichash_blake2b_PERSONALBYTES>;

constexpr std::string_view chain_purpose = "suan.journal.1";

constexpr Personal personal_of(std::string_view purpose) {
  ensure(purpose.size() <= Personal{}.size());
  Personal personal{};
  for (std::size_t i = 0; i < purpose.size(); ++i)
    personal[i] = static_cast<unsigned char>(purpose[i]);
  return personal;
}

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

class Hasher {
 public:
  explicit Hasher(const Personal& personal) {
    static const bool is_ready = sodium_init() >= 0;  // Picks the fast code for this processor.
    ensure(is_ready);
    crypto_generichash_blake2b_init_salt_personal(&state_, nullptr, 0, Digest{}.bytes.size(),
                                                  nullptr, personal.data());
  }
  void add(std::string_view bytes) {
    crypto_generichash_blake2b_update(&state_, unsigned_bytes(bytes), bytes.size());
  }
  Digest end() {
    Digest digest;
    crypto_generichash_blake2b_final(&state_, digest.bytes.data(), digest.bytes.size());
    return digest;
  }

 private:
  crypto_generichash_blake2b_state state_;
};

std::unexpected<Failure> malformed(std::size_t offset, std::string text) {
  return failure(Failure::Kind::invalid, std::move(text), "byte " + std::to_string(offset));
}

}  // namespace

void write_record(std::string& encoded, Moment moment, std::string_view bytes) {
  ensure(bytes.size() <= record_bytes_limit);
  std::array<char, record_header_bytes> header;
  write_u64(header.data(), static_cast<std::uint64_t>(moment.us));
  write_u32(header.data() + 8, static_cast<std::uint32_t>(bytes.size()));
  encoded.append(header.data(), header.size());
  encoded.append(bytes);
}

Result<std::vector<RecordView>> read_batch(std::string_view encoded, std::uint64_t count) {
  if (count == 0 || count > batch_records_limit)
    return malformed(0, "a batch has 1 to 65536 records, not " + std::to_string(count));
  if (encoded.size() < count * record_header_bytes)
    return malformed(encoded.size(), "too short for " + std::to_string(count) + " records");
  std::vector<RecordView> records;
  records.reserve(count);
  std::size_t offset = 0;
  while (records.size() < count) {
    if (encoded.size() - offset < record_header_bytes)
      return malformed(offset, "a record's header is cut off");
    const char* header = encoded.data() + offset;
    const std::size_t size = read_u32(header + 8);
    if (size > record_bytes_limit) return malformed(offset + 8, "a record's length is over 16 MiB");
    if (encoded.size() - offset - record_header_bytes < size)
      return malformed(offset + 8, "a record's length is more than there is");
    records.push_back({.moment = {static_cast<std::int64_t>(read_u64(header))},
                       .bytes = encoded.substr(offset + record_header_bytes, size),
                       .encoded = encoded.substr(offset, record_header_bytes + size)});
    offset += record_header_bytes + size;
  }
  if (offset != encoded.size()) return malformed(offset, "bytes after the last record");
  return records;
}

Digest hash_record(const Digest& before, std::uint64_t sequence, std::string_view encoded_record) {
  static constexpr Personal personal = personal_of(chain_purpose);
  std::array<char, sizeof(Digest) + 8> prefix;
  std::memcpy(prefix.data(), before.bytes.data(), before.bytes.size());
  write_u64(prefix.data() + before.bytes.size(), sequence);
  Hasher hasher(personal);
  hasher.add({prefix.data(), prefix.size()});
  hasher.add(encoded_record);
  return hasher.end();
}

Head extend(const Head& before, std::string_view encoded) {
  Head head = before;
  while (!encoded.empty()) {
    ensure(encoded.size() >= record_header_bytes);
    const char* header = encoded.data();
    const std::size_t size = record_header_bytes + read_u32(header + 8);
    ensure(encoded.size() >= size);
    ++head.sequence;
    head.hash = hash_record(head.hash, head.sequence, encoded.substr(0, size));
    head.moment = {static_cast<std::int64_t>(read_u64(header))};
    encoded.remove_prefix(size);
  }
  return head;
}

Digest hash_bytes(std::string_view purpose, std::string_view bytes) {
  Hasher hasher(personal_of(purpose));
  hasher.add(bytes);
  return hasher.end();
}

void Batch::add(Moment moment, std::string_view bytes) {
  write_record(encoded_, moment, bytes);
  ++count_;
  last_moment_ = moment;
}

void Batch::add_blob(std::uint64_t id, std::string bytes) {
  ensure(id != 0 && id <= static_cast<std::uint64_t>(INT64_MAX));
  ensure(bytes.size() <= blob_bytes_limit);
  blobs_.push_back({.id = id, .bytes = std::move(bytes)});
}

void Batch::clear() {
  encoded_.clear();
  blobs_.clear();
  count_ = 0;
  last_moment_ = {};
}

bool Batch::has_room(std::size_t bytes) const {
  return bytes <= record_bytes_limit && count_ < batch_records_limit &&
         encoded_.size() + record_header_bytes + bytes <= batch_bytes_limit;
}

}  // namespace suan::journal
