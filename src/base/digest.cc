#include "base/digest.h"

#include <cstddef>

namespace suan {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_hex(std::string& out, std::uint64_t bits, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    out += hex_digits[(bits >> static_cast<unsigned>(shift)) & 15U];
}

}  // namespace

std::string print_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) append_hex(out, static_cast<std::uint8_t>(c), 2);
  return out;
}

std::string print_digest(const Digest& digest) {
  std::string out;
  out.reserve(digest.bytes.size() * 2);
  for (const std::uint8_t byte : digest.bytes) append_hex(out, byte, 2);
  return out;
}

std::optional<Digest> parse_digest(std::string_view hex) {
  Digest digest;
  if (hex.size() != digest.bytes.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

std::string print_request_id(const RequestId& id) {
  std::string out;
  out.reserve(36);
  append_hex(out, id.high >> 32U, 8);
  out += '-';
  append_hex(out, (id.high >> 16U) & 0xFFFFU, 4);
  out += '-';
  append_hex(out, id.high & 0xFFFFU, 4);
  out += '-';
  append_hex(out, id.low >> 48U, 4);
  out += '-';
  append_hex(out, id.low & 0xFFFFFFFFFFFFU, 12);
  return out;
}

std::optional<RequestId> parse_request_id(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::array<std::uint64_t, 2> words{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    std::uint64_t& word = words[digits / 16];
    word = (word << 4U) | static_cast<std::uint64_t>(value);
    ++digits;
  }
  const RequestId id{words[0], words[1]};
  const bool is_version_7 = ((id.high >> 12U) & 15U) == 7 && (id.low >> 62U) == 2;
  return is_version_7 ? std::optional(id) : std::nullopt;
}

RequestId make_request_id(std::int64_t unix_ms, std::uint64_t random_a, std::uint64_t random_b) {
  return {(static_cast<std::uint64_t>(unix_ms) << 16U) | 0x7000U | (random_a & 0x0FFFU),
          (random_b & 0x3FFFFFFFFFFFFFFFU) | 0x8000000000000000U};
}

}  // namespace suan
