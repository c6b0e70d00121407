#include "lines.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include <zlib.h>

namespace suan::bench {

namespace {

constexpr std::size_t line_bytes_limit = std::size_t{1} << 20U;
constexpr unsigned buffer_bytes = 1U << 18U;

}  // namespace

std::unexpected<Failure> source_failure(Failure::Kind kind, const Source& source,
                                        const std::string& wrong, const std::string& place) {
  return failure(kind, place + ": " + wrong + "; public original: " + source.original, place);
}

void Lines::Close::operator()(gzFile_s* file) const {
  gzclose(file);
}

Lines::Lines(std::string path, const Source& source, gzFile_s* file)
    : path_(std::move(path)), source_(source), file_(file) {}

Result<Lines> Lines::open(const std::string& traces, const Source& source) {
  std::string path = traces + "/" + source.path;
  errno = 0;
  gzFile_s* file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    const auto kind = errno == ENOENT ? Failure::Kind::not_found : Failure::Kind::io;
    const std::string reason = errno == 0 ? "out of memory" : std::strerror(errno);
    return source_failure(kind, source, "cannot be opened (" + reason + ")", path);
  }
  gzbuffer(file, buffer_bytes);
  return Lines(std::move(path), source, file);
}

Result<bool> Lines::next() {
  line_.clear();
  std::array<char, 4096> piece;
  while (gzgets(file_.get(), piece.data(), static_cast<int>(piece.size())) != nullptr) {
    line_ += piece.data();
    if (line_.size() > line_bytes_limit) break;
    if (line_.ends_with('\n')) {
      line_.pop_back();
      if (line_.ends_with('\r')) line_.pop_back();
      ++number_;
      return true;
    }
  }
  int error = Z_OK;
  gzerror(file_.get(), &error);
  if (error != Z_OK && error != Z_STREAM_END)
    return source_failure(Failure::Kind::io, source_, "is cut off or damaged", path_);
  ++number_;
  if (line_.size() > line_bytes_limit) return wrong_line("is longer than a MiB");
  return !line_.empty();
}

std::unexpected<Failure> Lines::wrong_line(const std::string& wrong) const {
  return source_failure(Failure::Kind::invalid, source_, wrong,
                        path_ + ":" + std::to_string(number_));
}

std::vector<std::string_view> split_cells(std::string_view line) {
  std::vector<std::string_view> cells;
  for (std::size_t comma = line.find(','); comma != std::string_view::npos;
       comma = line.find(',')) {
    cells.push_back(line.substr(0, comma));
    line.remove_prefix(comma + 1);
  }
  cells.push_back(line);
  return cells;
}

Result<double> parse_number(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || !std::isfinite(number))
    return failure(Failure::Kind::invalid, "'" + std::string(text) + "' is no number");
  return number;
}

}  // namespace suan::bench
