#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

/// Blobs encrypted so that destroying their key destroys them.
namespace suan::journal {

using BlobKey = std::array<unsigned char, 32>;

struct SealedBlob {
  BlobKey key;
  std::string sealed;  // Nonce (24 bytes), cipher text, tag (16 bytes).
};

/// Seals with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under a fresh random key, bound to
/// `id`.
SealedBlob seal_blob(std::uint64_t id, std::string_view bytes);

/// `invalid` when the bytes, the key or the id are not those of the sealing.
Result<std::string> open_blob(std::uint64_t id, std::string_view key, std::string_view sealed);

}  // namespace suan::journal
