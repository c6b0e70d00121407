#pragma once

#include <cstdint>

/// Little-endian integers in bytes, on any machine. The caller guarantees the room.
namespace suan::journal {

inline void write_u64(char* at, std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) at[i] = static_cast<char>(value >> (8 * i));
}

inline void write_u32(char* at, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (8 * i));
}

inline std::uint64_t read_u64(const char* at) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i)
    value |= std::uint64_t{static_cast<std::uint8_t>(at[i])} << (8 * i);
  return value;
}

inline std::uint32_t read_u32(const char* at) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i)
    value |= std::uint32_t{static_cast<std::uint8_t>(at[i])} << (8 * i);
  return value;
}

}  // namespace suan::journal
