#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/ensure.h"
#include "engine/image_unpack.h"
#include "testing/tar_bytes.h"
#include "testing/temporary_directory.h"

namespace {

using namespace suan;
using namespace suan::engine;

// An entry a line: a letter for its kind, its path, and behind a tab where a link leads.
std::string tar_of(std::string_view text) {
  TarBytes tar;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty()) continue;
    const std::size_t tab = std::min(line.find('\t'), line.size());
    const std::string path(line.substr(1, std::max<std::size_t>(tab, 1) - 1));
    const std::string target(line.substr(std::min(line.size(), tab + 1)));
    switch (line.front()) {
      case 'd':
        tar.directory(path);
        break;
      case 's':
        tar.symbolic_link(path, target);
        break;
      case 'h':
        tar.hard_link(path, target);
        break;
      default:
        tar.file(path, target);
        break;
    }
  }
  return tar.bytes();
}

struct Place {
  Place() {
    for (const char* each : {"/out", "/outside"})
      ensure(make_directory(AT_FDCWD, top.path() + each).has_value());
    ensure(replace_file(AT_FDCWD, top.path() + "/outside/secret", "mine").has_value());
  }
  TemporaryDirectory top;
};

}  // namespace

/// Whatever the entries of an archive, nothing outside its directory is made, changed or removed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Place place;
  const std::string top = place.top.path();
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const bool is_raw = size > 0 && text.front() == '!';
  const std::string tar = is_raw ? std::string(text.substr(1)) : tar_of(text);
  const Fd archive(::memfd_create("archive", MFD_CLOEXEC));
  ensure(archive && write_whole(archive.get(), tar).has_value());
  const Fd out(::open((top + "/out").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto image =
      unpack_image(archive.get(), out.get(), {.bytes_max = 1 << 20U, .entries_max = 100});
  if (image) ensure(image->bytes <= 1 << 20U);
  for (const char* each : {"rootfs", "packed"}) ensure(remove_tree(out.get(), each));
  ensure(names_in(AT_FDCWD, top) == std::vector<std::string>{"out", "outside"});
  ensure(names_in(out.get(), ".").empty());
  ensure(names_in(AT_FDCWD, top + "/outside") == std::vector<std::string>{"secret"});
  ensure(read_file(AT_FDCWD, top + "/outside/secret", 100).value_or("") == "mine");
  return 0;
}
