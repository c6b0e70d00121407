#include "journal/sealed_blob.h"

#include <bit>

#include <sodium.h>

#include "base/ensure.h"
#include "journal/byte_order.h"

namespace suan::journal {

namespace {

constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(BlobKey{}.size() == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::array<unsigned char, 8> bound_to(std::uint64_t id) {
  std::array<char, 8> bytes;
  write_u64(bytes.data(), id);
  return std::bit_cast<std::array<unsigned char, 8>>(bytes);
}

}  // namespace

SealedBlob seal_blob(std::uint64_t id, std::string_view bytes) {
  ensure(sodium_init() >= 0);
  SealedBlob blob;
  crypto_aead_xchacha20poly1305_ietf_keygen(blob.key.data());
  blob.sealed.resize(nonce_bytes + bytes.size() + tag_bytes);
  auto* out = reinterpret_cast<unsigned char*>(blob.sealed.data());
  randombytes_buf(out, nonce_bytes);
  const auto bound = bound_to(id);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + nonce_bytes, nullptr, unsigned_bytes(bytes),
                                             bytes.size(), bound.data(), bound.size(), nullptr, out,
                                             blob.key.data());
  return blob;
}

Result<std::string> open_blob(std::uint64_t id, std::string_view key, std::string_view sealed) {
  ensure(sodium_init() >= 0);
  const auto damaged = [id] {
    return failure(Failure::Kind::invalid, "blob " + std::to_string(id) + " is damaged",
                   "blob " + std::to_string(id));
  };
  if (key.size() != BlobKey{}.size() || sealed.size() < nonce_bytes + tag_bytes) return damaged();
  std::string bytes(sealed.size() - nonce_bytes - tag_bytes, '\0');
  const unsigned char* in = unsigned_bytes(sealed);
  const auto bound = bound_to(id);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(bytes.data()), nullptr, nullptr, in + nonce_bytes,
          sealed.size() - nonce_bytes, bound.data(), bound.size(), in, unsigned_bytes(key)) != 0)
    return damaged();
  return bytes;
}

}  // namespace suan::journal
