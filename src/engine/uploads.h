#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/file.h"

/// Packed working directories on their way to where they run, one file each, in a directory of the
/// domain. They are named by whose they are and by what is in them (upload_name), so that the same
/// one is brought once.
namespace suan::engine {

inline constexpr std::int64_t upload_bytes_max = std::int64_t{1} << 30U;

class Uploads {
 public:
  /// Makes the directory, whose path is absolute, if it is not there.
  static Result<std::unique_ptr<Uploads>> open(std::string directory);

  const std::string& directory() const { return directory_; }

  /// How many bytes of it are there; 0 where it is not known.
  std::int64_t size_of(const std::string& name) const;

  /// Appends at the end, which must be `offset`, and returns how many bytes there are now.
  /// `conflict` at any other offset, `no_space` beyond upload_bytes_max or where less than 1 GiB of
  /// the file system would be left. Any thread.
  Result<std::int64_t> append(const std::string& name, std::int64_t offset, std::string_view bytes);

  /// The next bytes from `offset` on; "" at the end.
  Result<std::string> read(const std::string& name, std::int64_t offset,
                           std::size_t bytes_max) const;

  /// How many bytes those have whose names begin so.
  std::int64_t size_of_all(std::string_view beginning) const;

  void remove(const std::string& name);

  /// Removes what nothing in `wanted` names and nobody has touched for a day.
  void sweep(const std::set<std::string>& wanted);

 private:
  Uploads(std::string directory, Fd opened)
      : directory_(std::move(directory)), opened_(std::move(opened)) {}

  std::string directory_;
  Fd opened_;
  std::mutex mutex_;  // Of appending.
};

}  // namespace suan::engine
