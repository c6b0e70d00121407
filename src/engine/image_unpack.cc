#include "engine/image_unpack.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace suan::engine {
namespace {

constexpr int index_depth_max = 3;

// The names that root file systems have at their top, and no archive of an image.
bool is_root_name(std::string_view name) {
  constexpr std::array<std::string_view, 17> known = {
      "bin", "boot", "dev",  "etc", "home", "lib", "lib64", "media", "mnt",
      "opt", "proc", "root", "run", "sbin", "sys", "usr",   "var"};
  return std::ranges::find(known, name) != known.end();
}

enum class ArchiveKind : std::uint8_t { root_file_system, oci_layout, saved };

// Goes through the archive no further than to the first name that decides.
Result<ArchiveKind> find_kind(int fd) {
  SUAN_TRY(ArchiveReader archive, ArchiveReader::open(fd));
  ArchiveEntry entry;
  bool is_empty = true;
  bool has_manifest = false;
  bool has_index = false;
  while (true) {
    SUAN_TRY(const bool has_entry, archive.next(entry));
    if (!has_entry) break;
    SUAN_TRY(const std::vector<std::string> parts, parse_archive_path(entry.path));
    if (parts.empty()) continue;
    if (is_root_name(parts.front())) return ArchiveKind::root_file_system;
    is_empty = false;
    has_manifest = has_manifest || parts == std::vector<std::string>{"manifest.json"};
    has_index = has_index || parts == std::vector<std::string>{"index.json"};
  }
  // Newer programs write both; the layout says more.
  if (has_index) return ArchiveKind::oci_layout;
  if (has_manifest) return ArchiveKind::saved;
  if (!is_empty) return ArchiveKind::root_file_system;
  return failure(Failure::Kind::invalid, "there is nothing in the archive");
}

Result<void> rewind(int fd) {
  if (::lseek(fd, 0, SEEK_SET) != 0) return system_failure("cannot read again", {});
  return {};
}

Result<void> unpack_into(int fd, ImageTree& tree) {
  SUAN_TRY(ArchiveReader archive, ArchiveReader::open(fd));
  return tree.write(archive);
}

Result<Fd> open_part(int packed, const std::string& path) {
  auto file = open_in_root(packed, path, O_RDONLY | O_NONBLOCK);
  struct stat about{};
  if (file && ::fstat(file->get(), &about) == 0 && S_ISREG(about.st_mode)) return file;
  return failure(Failure::Kind::invalid, "a part of the image is missing", path.substr(0, 200));
}

Result<std::string> read_part(int packed, const std::string& path) {
  SUAN_TRY(const Fd file, open_part(packed, path));
  std::string text;
  std::array<char, 64 << 10U> block{};
  ssize_t got = 0;
  while ((got = ::read(file.get(), block.data(), block.size())) > 0) {
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > description_bytes_max)
      return failure(Failure::Kind::invalid, "a description in the image is too long", path);
  }
  if (got < 0) return system_failure("cannot read", path);
  return text;
}

Result<ImageParts> find_parts(int packed, ArchiveKind kind) {
  if (kind == ArchiveKind::saved) {
    SUAN_TRY(const std::string text, read_part(packed, "manifest.json"));
    return parse_saved_manifest(text);
  }
  std::string path = "index.json";
  for (int depth = 0; depth < index_depth_max; ++depth) {
    SUAN_TRY(const std::string text, read_part(packed, path));
    SUAN_TRY(const std::vector<Descriptor> all, parse_index(text));
    SUAN_TRY(const Descriptor chosen, choose_image(all, machine_name()));
    path = blob_path(chosen.sha256);
    if (is_index(chosen)) continue;
    SUAN_TRY(const std::string manifest, read_part(packed, path));
    return parse_manifest(manifest);
  }
  return failure(Failure::Kind::invalid, "an index of the image leads to others, too often", path);
}

Result<ImageConfig> unpack_parts(int packed, ArchiveKind kind, ImageTree& tree) {
  SUAN_TRY(const ImageParts parts, find_parts(packed, kind));
  if (parts.layers.empty())
    return failure(Failure::Kind::invalid, "the image has no layers, so there is nothing to run");
  ImageConfig config;
  if (!parts.config.empty()) {
    SUAN_TRY(const std::string text, read_part(packed, parts.config));
    SUAN_TRY(config, parse_image_config(text));
  }
  for (const std::string& layer : parts.layers) {
    SUAN_TRY(const Fd file, open_part(packed, layer));
    tree.begin_layer();
    SUAN_CHECK(unpack_into(file.get(), tree));
  }
  return config;
}

// For everybody to enter, whatever the umask: programs of the image may run as any user.
Result<Fd> make_root(int directory, const char* name) {
  SUAN_CHECK(make_directory(directory, name));
  Fd root(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root || ::fchmod(root.get(), 0755) != 0) return system_failure("cannot open", name);
  return root;
}

}  // namespace

Result<UnpackedImage> unpack_image(int archive, int directory, const ImageBounds& bounds) {
  SUAN_CHECK(rewind(archive));
  SUAN_TRY(const ArchiveKind kind, find_kind(archive));
  SUAN_CHECK(rewind(archive));
  SUAN_TRY(const Fd root, make_root(directory, "rootfs"));
  ImageTree tree(root.get(), bounds);
  UnpackedImage image;
  if (kind == ArchiveKind::root_file_system) {
    SUAN_CHECK(unpack_into(archive, tree));
  } else {
    SUAN_TRY(const Fd packed, make_root(directory, "packed"));
    ImageTree parts(packed.get(), bounds);
    SUAN_CHECK(unpack_into(archive, parts));
    SUAN_TRY(image.config, unpack_parts(packed.get(), kind, tree));
    if (!remove_tree(directory, "packed"))
      return failure(Failure::Kind::io, "cannot remove", "packed");
  }
  image.bytes = tree.bytes();
  return image;
}

}  // namespace suan::engine
