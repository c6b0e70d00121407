#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "engine/archive.h"
#include "engine/file.h"

/// Writing what an archive says below one directory, and nowhere else.
namespace suan::engine {

/// The most that an image may take when it is unpacked, whatever its archive says.
struct ImageBounds {
  std::int64_t bytes_max = std::int64_t{64} << 30U;  // Of all files, holes counted.
  std::uint64_t entries_max = 2'000'000;
};

/// The parts of a path in an archive: without the leading "/", "" and ".". `invalid` if it has a
/// "..", a zero byte, or is longer than the kernel allows.
Result<std::vector<std::string>> parse_archive_path(std::string_view path);

/// Opens what `path` names below `root`, as if `root` were "/": links, absolute or with "..", lead
/// nowhere else (openat2(2), RESOLVE_IN_ROOT). `flags` of open(2).
Result<Fd> open_in_root(int root, const std::string& path, std::uint64_t flags);

/// Opens what `path` names below `root`; links that lead out of it are refused (RESOLVE_BENEATH).
Result<Fd> open_beneath(int root, const std::string& path, std::uint64_t flags);

/// A directory tree made of the layers of an image (OCI image specification 1.0, "Image Layer
/// Filesystem Changeset"), the lowest first. Whatever the entries say, nothing outside the
/// directory is read, written or removed. Device nodes and sockets are left out. Owners are kept
/// where this process may set them. One thread.
class ImageTree {
 public:
  /// `root` outlives this object and belongs to it alone.
  ImageTree(int root, ImageBounds bounds) : root_(root), bounds_(bounds) {}

  /// What follows is a new layer: its whiteouts hide what is there so far.
  void begin_layer() { made_.clear(); }

  /// Writes all entries of an archive. `invalid` for what no honest image has, `no_space` beyond
  /// the bounds or the disk; what was written so far stays.
  Result<void> write(ArchiveReader&);

  /// Of all files written so far, also those that were replaced.
  std::int64_t bytes() const { return bytes_; }

 private:
  Result<void> write(ArchiveReader&, const ArchiveEntry&);
  Result<void> write_entry(ArchiveReader&, const ArchiveEntry&, const std::string& name);
  Result<void> write_file(ArchiveReader&, const ArchiveEntry&, const std::string& name);
  Result<void> write_hard_link(const ArchiveEntry&, const std::string& name);
  Result<void> make_way(const std::string& name, bool for_directory);
  Result<void> hide(const std::string& whiteout, const std::string& parent);
  Result<void> enter(const std::vector<std::string>& parts, std::string& path);

  int root_;
  ImageBounds bounds_;
  std::int64_t bytes_ = 0;
  std::uint64_t entries_ = 0;
  Fd parent_;                             // Of the latest entry.
  std::string parent_path_ = "\n";        // Where that is; no path is "\n".
  std::unordered_set<std::string> made_;  // Paths that this layer has, for its opaque directories.
};

}  // namespace suan::engine
