#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>

namespace suan::engine {

/// Tar archives made entry by entry, also such as no program would make: names are taken as they
/// are (POSIX.1-2017, pax, "ustar Interchange Format"). Test code only.
class TarBytes {
 public:
  TarBytes& file(const std::string& path, std::string_view bytes, unsigned mode = 0644) {
    add('0', path, "", bytes.size(), mode);
    bytes_.append(bytes);
    bytes_.append((512 - bytes.size() % 512) % 512, '\0');
    return *this;
  }
  TarBytes& directory(const std::string& path, unsigned mode = 0755) {
    return add('5', path, "", 0, mode);
  }
  TarBytes& symbolic_link(const std::string& path, const std::string& target) {
    return add('2', path, target, 0, 0777);
  }
  TarBytes& hard_link(const std::string& path, const std::string& target) {
    return add('1', path, target, 0, 0644);
  }
  TarBytes& device(const std::string& path) { return add('3', path, "", 0, 0666); }

  /// A file that claims more bytes than follow.
  TarBytes& claim(const std::string& path, std::size_t bytes) {
    return add('0', path, "", bytes, 0644);
  }

  std::string bytes() const { return bytes_ + std::string(1024, '\0'); }

 private:
  TarBytes& add(char type, const std::string& path, const std::string& target, std::size_t size,
                unsigned mode) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, std::string_view text) {
      header.replace(at, text.size(), text);
    };
    const auto octal = [&](std::size_t at, int digits, std::size_t value) {
      std::array<char, 32> text{};
      std::snprintf(text.data(), text.size(), "%0*zo", digits, value);
      put(at, text.data());
    };
    put(0, path.substr(0, 100));
    octal(100, 7, mode);
    octal(108, 7, 0);
    octal(116, 7, 0);
    octal(124, 11, size);
    octal(136, 11, 1'700'000'000);
    put(148, std::string(8, ' '));
    header[156] = type;
    put(157, target.substr(0, 100));
    put(257, std::string_view("ustar\0"
                              "00",
                              8));
    std::size_t sum = 0;
    for (const char each : header) sum += static_cast<unsigned char>(each);
    octal(148, 6, sum);
    bytes_ += header;
    return *this;
  }

  std::string bytes_;
};

/// `bytes` packed by `filter`, one of libarchive's archive_write_add_filter_….
inline std::string pack(const std::string& bytes, int (*filter)(struct archive*)) {
  std::string packed(bytes.size() + (1 << 20U), '\0');
  std::size_t used = 0;
  struct archive* out = ::archive_write_new();
  ::archive_write_set_format_raw(out);
  filter(out);
  ::archive_write_open_memory(out, packed.data(), packed.size(), &used);
  struct archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_filetype(entry, AE_IFREG);
  ::archive_write_header(out, entry);
  ::archive_write_data(out, bytes.data(), bytes.size());
  ::archive_entry_free(entry);
  ::archive_write_close(out);
  ::archive_write_free(out);
  packed.resize(used);
  return packed;
}

}  // namespace suan::engine
