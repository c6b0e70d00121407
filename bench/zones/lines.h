#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct gzFile_s;

namespace suan::bench {

/// Where a series comes from: its file below the directory of traces, and where anyone finds the
/// public original of it.
struct Source {
  const char* path;
  const char* original;
};

/// A Failure about `source`: what is wrong, and where the original is; its place is `place`.
std::unexpected<Failure> source_failure(Failure::Kind kind, const Source& source,
                                        const std::string& wrong, const std::string& place);

/// The lines of a text file, gzipped or plain, one after another.
class Lines {
 public:
  /// Opens `source` below `traces`; not_found if it is not there.
  static Result<Lines> open(const std::string& traces, const Source& source);

  /// Reads the next line, without its end, into `line()`; false after the last one. A file that is
  /// cut off or damaged, or has a line of more than a MiB, fails.
  Result<bool> next();

  const std::string& line() const { return line_; }

  /// A Failure `invalid` that names the line last read.
  std::unexpected<Failure> wrong_line(const std::string& wrong) const;

 private:
  struct Close {
    void operator()(gzFile_s* file) const;
  };

  Lines(std::string path, const Source& source, gzFile_s* file);

  std::string path_;
  Source source_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::string line_;
  std::int64_t number_ = 0;
};

/// The cells of a line of CSV; no cell is quoted in the files this reads. They point into `line`.
std::vector<std::string_view> split_cells(std::string_view line);

/// All of `text` as a finite decimal number; `invalid` otherwise.
Result<double> parse_number(std::string_view text);

}  // namespace suan::bench
