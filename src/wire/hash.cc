#include "wire/hash.h"

#include <sodium.h>

#include "base/ensure.h"

namespace suan::wire {

namespace {

const unsigned char* data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool is_key(std::string_view key) {
  return key.size() >= crypto_generichash_KEYBYTES_MIN &&
         key.size() <= crypto_generichash_KEYBYTES_MAX;
}

crypto_generichash_state* state_in(void* bytes) {
  return static_cast<crypto_generichash_state*>(bytes);
}

}  // namespace

Digest hash(std::string_view bytes) {
  Digest digest;
  ensure(crypto_generichash(digest.bytes.data(), digest.bytes.size(), data(bytes), bytes.size(),
                            nullptr, 0) == 0);
  return digest;
}

Digest keyed_hash(std::string_view key, std::string_view bytes) {
  ensure(is_key(key));
  Digest digest;
  ensure(crypto_generichash(digest.bytes.data(), digest.bytes.size(), data(bytes), bytes.size(),
                            data(key), key.size()) == 0);
  return digest;
}

Hasher::Hasher() {
  static_assert(sizeof(State) >= sizeof(crypto_generichash_state) &&
                alignof(State) >= alignof(crypto_generichash_state));
  ensure(crypto_generichash_init(state_in(&state_), nullptr, 0, sizeof(Digest::bytes)) == 0);
}

Hasher::Hasher(std::string_view key) {
  ensure(is_key(key));
  ensure(crypto_generichash_init(state_in(&state_), data(key), key.size(), sizeof(Digest::bytes)) ==
         0);
}

void Hasher::update(std::string_view bytes) {
  ensure(!is_finished_);
  ensure(crypto_generichash_update(state_in(&state_), data(bytes), bytes.size()) == 0);
}

Digest Hasher::finish() {
  ensure(!is_finished_);
  is_finished_ = true;
  Digest digest;
  ensure(crypto_generichash_final(state_in(&state_), digest.bytes.data(), digest.bytes.size()) ==
         0);
  return digest;
}

}  // namespace suan::wire
