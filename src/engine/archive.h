#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

/// Reading tar archives of unknown origin, plain or packed by gzip or zstd, through libarchive.
namespace suan::engine {

/// One entry of an archive, as the archive says: nothing is checked yet.
struct ArchiveEntry {
  enum class Kind : std::uint8_t { file, directory, symbolic_link, hard_link, pipe, other };
  Kind kind = Kind::other;  // other: device nodes, sockets.
  std::string path;
  std::string target;      // Of links.
  std::uint32_t mode = 0;  // The permission bits, with set-user-ID, set-group-ID and sticky.
  std::int64_t user = 0;   // Numbers.
  std::int64_t group = 0;
  std::int64_t bytes = 0;       // Of `file`.
  std::int64_t modified_s = 0;  // Since 1970.
};

/// Reads an archive from its start to its end, once. One thread.
class ArchiveReader {
 public:
  /// Reads from where the descriptor stands; it outlives this object. `invalid` if it is no such
  /// archive.
  static Result<ArchiveReader> open(int fd);
  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) = delete;
  ~ArchiveReader();

  /// The next entry; false at the end. `invalid` if the archive is cut or damaged.
  Result<bool> next(ArchiveEntry&);

  /// Writes the bytes of the current entry to a new file and leaves holes where the archive has
  /// holes. `invalid` if there are more than the entry said.
  Result<void> copy_to(int fd);

 private:
  struct Parts;
  explicit ArchiveReader(std::unique_ptr<Parts>);

  std::unique_ptr<Parts> parts_;
};

}  // namespace suan::engine
