#include "net/chunks.h"

#include <algorithm>
#include <charconv>

namespace suan::net {

namespace {

constexpr std::size_t size_line_bytes_max = 256;
constexpr std::size_t size_digits_max = 15;

}  // namespace

void ChunkDecoder::start() {
  state_ = State::size_line;
  line_.clear();
  remaining_ = 0;
  trailer_bytes_ = 0;
}

std::expected<std::size_t, ChunkFault> ChunkDecoder::feed(std::string_view bytes, std::string& body,
                                                          std::size_t body_bytes_max) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ != State::done) {
    const std::string_view rest = bytes.substr(taken);
    if (state_ != State::chunk) {
      const auto step = feed_line(rest);
      if (!step) return step;
      taken += *step;
      continue;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, rest.size()));
    if (size > body_bytes_max - std::min(body.size(), body_bytes_max)) {
      return std::unexpected(ChunkFault::body_too_large);
    }
    body += rest.substr(0, size);
    taken += size;
    remaining_ -= size;
    if (remaining_ == 0) state_ = State::chunk_end;
  }
  return taken;
}

std::expected<std::size_t, ChunkFault> ChunkDecoder::feed_line(std::string_view bytes) {
  const std::size_t limit = state_ == State::trailer ? trailer_bytes_max_ : size_line_bytes_max;
  const std::size_t end = bytes.find('\n');
  const std::size_t taken = end == bytes.npos ? bytes.size() : end + 1;
  if (trailer_bytes_ + line_.size() + taken > limit) {
    return std::unexpected(ChunkFault::line_too_long);
  }
  line_ += bytes.substr(0, taken);
  if (end == bytes.npos) return taken;
  if (!line_.ends_with("\r\n")) return std::unexpected(ChunkFault::malformed);
  line_.resize(line_.size() - 2);
  if (state_ == State::size_line) {
    if (!take_size()) return std::unexpected(ChunkFault::malformed);
  } else if (state_ == State::chunk_end) {
    if (!line_.empty()) return std::unexpected(ChunkFault::malformed);
    state_ = State::size_line;
  } else {
    trailer_bytes_ += line_.size() + 2;
    if (line_.empty()) state_ = State::done;
  }
  line_.clear();
  return taken;
}

bool ChunkDecoder::take_size() {
  std::string_view digits = std::string_view(line_).substr(0, line_.find(';'));
  while (digits.ends_with(' ') || digits.ends_with('\t')) digits.remove_suffix(1);
  if (digits.empty() || digits.size() > size_digits_max) return false;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, remaining_, 16);
  if (error != std::errc{} || stop != end) return false;
  state_ = remaining_ == 0 ? State::trailer : State::chunk;
  return true;
}

}  // namespace suan::net
