#include "base/sha256.h"

#include <array>

#include <sodium.h>

#include "base/digest.h"

namespace suan {

struct Sha256::State {
  crypto_hash_sha256_state hash;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  crypto_hash_sha256_init(&state_->hash);
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  crypto_hash_sha256_update(&state_->hash,
                            reinterpret_cast<const unsigned char*>(bytes.data()),  // NOLINT
                            bytes.size());
}

std::string Sha256::finish() {
  std::array<unsigned char, crypto_hash_sha256_BYTES> sum{};
  crypto_hash_sha256_final(&state_->hash, sum.data());
  return print_hex({reinterpret_cast<const char*>(sum.data()), sum.size()});  // NOLINT: bytes.
}

}  // namespace suan
