#pragma once

#include <string_view>

#include "base/digest.h"
#include "wire/bytes.h"

/// BLAKE2b-256 (RFC 7693) through libsodium.
namespace suan::wire {

/// The digest of some bytes.
Digest hash(std::string_view bytes);

/// The digest of some bytes under a key of 16 to 64 bytes: only who has the key can make it.
Digest keyed_hash(std::string_view key, std::string_view bytes);

/// The digest of a record: of its bytes.
template <Record T>
Digest hash_record(const T& value) {
  return hash(encode(value));
}

/// Takes bytes piece by piece; where they are cut makes no difference. One thread at a time.
class Hasher {
 public:
  Hasher();
  /// Under a key of 16 to 64 bytes.
  explicit Hasher(std::string_view key);

  void update(std::string_view bytes);

  /// The digest of all that was taken. Once: the hasher is used up.
  Digest finish();

 private:
  // As large and as aligned as libsodium's state, so that its header stays out of this one.
  struct alignas(64) State {
    unsigned char bytes[384];
  };

  State state_;
  bool is_finished_ = false;
};

}  // namespace suan::wire
