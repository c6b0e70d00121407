#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace suan::net {

/// Why a chunked body was refused.
enum class ChunkFault : std::uint8_t { malformed, line_too_long, body_too_large };

/// Undoes the chunked transfer coding (RFC 9112 §7.1) of bodies in pieces of any size. Extensions
/// and trailer fields are bounded and passed over. Bare line feeds are refused.
class ChunkDecoder {
 public:
  explicit ChunkDecoder(std::size_t trailer_bytes_max) : trailer_bytes_max_(trailer_bytes_max) {}

  /// Begins the next body.
  void start();

  /// Takes bytes up to the end of the body and says how many; what they hold is added to `body`,
  /// which never grows past `body_bytes_max`. After a fault the decoder is spent until `start`.
  std::expected<std::size_t, ChunkFault> feed(std::string_view bytes, std::string& body,
                                              std::size_t body_bytes_max);

  bool is_done() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t { size_line, chunk, chunk_end, trailer, done };

  std::expected<std::size_t, ChunkFault> feed_line(std::string_view bytes);
  bool take_size();

  std::size_t trailer_bytes_max_;
  State state_ = State::size_line;
  std::string line_;             // Unfinished.
  std::uint64_t remaining_ = 0;  // Of the chunk.
  std::size_t trailer_bytes_ = 0;
};

}  // namespace suan::net
