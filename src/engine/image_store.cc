#include "engine/image_store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <tuple>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/attempt_files.h"
#include "engine/image_unpack.h"
#include "wire/hash.h"

namespace suan::engine {
namespace {

constexpr std::string_view rootfs_prefix = "rootfs:";
constexpr std::size_t name_bytes_max = 1024;
constexpr std::size_t read_block_bytes = 1 << 20U;

std::string remedy() {
  return "; images are not pulled from registries: save it where this domain keeps images, for "
         "instance by `podman save -o NAME.tar IMAGE`, and say `image: NAME.tar`";
}

std::string print_time(const timespec& time) {
  return std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
}

// Changes when the file does.
std::string print_place(const struct stat& about) {
  return std::to_string(about.st_dev) + " " + std::to_string(about.st_ino) + " " +
         std::to_string(about.st_size) + " " + print_time(about.st_mtim) + " " +
         print_time(about.st_ctim);
}

Result<struct stat> read_about(int fd) {
  struct stat about{};
  if (::fstat(fd, &about) != 0) return system_failure("cannot look at", "image");
  return about;
}

Result<std::string> hash_file(int fd) {
  wire::Hasher hasher;
  const auto block = std::make_unique<std::array<char, read_block_bytes>>();
  ssize_t got = 0;
  while ((got = TEMP_FAILURE_RETRY(::read(fd, block->data(), block->size()))) > 0)
    hasher.update({block->data(), static_cast<std::size_t>(got)});
  if (got < 0) return system_failure("cannot read", "image");
  return print_digest(hasher.finish());
}

// Of the bytes of an open file: known from an earlier time, or read now.
Result<std::string> find_digest(int images, int fd, const struct stat& about) {
  const std::string known = "known/" + print_digest(wire::hash(print_place(about)));
  if (const auto digest = read_file(images, known, 64); digest && parse_digest(*digest))
    return digest;
  SUAN_TRY(const std::string digest, hash_file(fd));
  std::ignore = replace_file(images, known, digest);  // Another may be at it; it only saves time.
  return digest;
}

// The lock of an entry. `operation` of flock(2); unavailable if it would have to wait and may not.
Result<Fd> lock_entry(int images, const std::string& digest, int operation) {
  const std::string path = digest + ".lock";
  while (true) {
    Fd lock(::openat(images, path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock) return system_failure("cannot open", path);
    if (TEMP_FAILURE_RETRY(::flock(lock.get(), operation)) != 0)
      return failure(Failure::Kind::unavailable, "the image is in use", digest);
    // Whoever removed the entry may have removed this file with it, before the lock was had.
    struct stat about{};
    if (::fstat(lock.get(), &about) == 0 && about.st_nlink > 0) return lock;
  }
}

std::optional<UnpackedImage> read_entry(int images, const std::string& digest) {
  const auto file = read_file(images, digest + "/about", record_bytes_max);
  if (!file) return std::nullopt;
  const auto frames = unframe(*file);
  if (frames.empty()) return std::nullopt;
  auto image = wire::decode<UnpackedImage>(frames.front());
  return image ? std::optional(*std::move(image)) : std::nullopt;
}

// Removed under another name first, so that nothing half removed has the name of an entry.
bool remove_entry(int images, const std::string& name) {
  const std::string gone = name + ".gone";
  if (!remove_tree(images, gone)) return false;
  if (::renameat(images, name.c_str(), images, gone.c_str()) != 0 && errno != ENOENT) return false;
  return remove_tree(images, gone);
}

// Under the lock of the entry, for writing.
Result<ImageConfig> make_entry(int images, const std::string& digest, int archive,
                               const ImageBounds& bounds) {
  // Another may have made it between two locks; a damaged one is made anew.
  if (auto known = read_entry(images, digest)) return std::move(known->config);
  const std::string fresh = digest + ".new";
  if (!remove_entry(images, digest) || !remove_tree(images, fresh))
    return failure(Failure::Kind::io, "cannot remove", fresh);
  SUAN_CHECK(make_directory(images, fresh));
  const Fd directory(
      ::openat(images, fresh.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return system_failure("cannot open", fresh);
  auto image = unpack_image(archive, directory.get(), bounds);
  if (!image) {
    remove_tree(images, fresh);
    return std::unexpected(std::move(image).error());
  }
  SUAN_CHECK(replace_file(directory.get(), "about", frame(wire::encode(*image))));
  // A crash of the machine must not leave an entry of empty files behind.
  ::syncfs(directory.get());
  if (::renameat(images, fresh.c_str(), images, digest.c_str()) != 0)
    return system_failure("cannot rename", fresh);
  return std::move(image->config);
}

Result<Fd> open_images(const std::string& state) {
  const std::string path = state + "/images";
  Fd images(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!images) return system_failure("cannot open", path);
  return images;
}

Result<PreparedImage> prepare_archive(const std::string& state, const ImageHouse& house, int fd,
                                      const ImageBounds& bounds) {
  SUAN_TRY(const Fd images, open_images(state));
  SUAN_TRY(const struct stat about, read_about(fd));
  PreparedImage prepared;
  SUAN_TRY(prepared.digest, find_digest(images.get(), fd, about));
  prepared.rootfs = state + "/images/" + prepared.digest + "/rootfs";
  while (true) {
    // For reading first: those that use it hold it for reading for as long as they run. Who makes
    // it is waited for here.
    {
      SUAN_TRY(const Fd shared, lock_entry(images.get(), prepared.digest, LOCK_SH));
      if (auto known = read_entry(images.get(), prepared.digest)) {
        prepared.config = std::move(known->config);
        return prepared;
      }
    }
    const auto lock = lock_entry(images.get(), prepared.digest, LOCK_EX | LOCK_NB);
    if (!lock && lock.error().kind == Failure::Kind::unavailable) continue;
    if (!lock) return std::unexpected(lock.error());
    SUAN_TRY(prepared.config, make_entry(images.get(), prepared.digest, fd, bounds));
    SUAN_TRY(const struct stat after, read_about(fd));
    if (print_place(after) != print_place(about)) {
      remove_entry(images.get(), prepared.digest);
      return failure(Failure::Kind::conflict, "the archive changed while it was unpacked");
    }
    ::futimens(lock->get(), nullptr);
    evict_images(state, house.cache_bytes_max);  // Not this one, which is locked.
    return prepared;
  }
}

}  // namespace

std::string find_image_name_fault(const ImageHouse& house, const std::string& name) {
  std::string_view path = name;
  if (path.starts_with(rootfs_prefix)) path.remove_prefix(rootfs_prefix.size());
  if (path.empty()) return "`image` names no image";
  if (path.size() > name_bytes_max) return "the name of the image is too long";
  if (path.find('\0') != std::string_view::npos) return "the name of an image has no zero byte";
  if (path.find("://") != std::string_view::npos) return "there is no image " + name + remedy();
  if (path.starts_with('/') && !path.starts_with(house.directory + "/"))
    return "the image " + name + " is not below " + house.directory +
           ", where this machine keeps images";
  return {};
}

Result<Fd> open_image(const ImageHouse& house, const std::string& name) {
  if (std::string fault = find_image_name_fault(house, name); !fault.empty())
    return failure(Failure::Kind::not_found, std::move(fault));
  const bool wants_directory = name.starts_with(rootfs_prefix);
  std::string path = wants_directory ? name.substr(rootfs_prefix.size()) : name;
  if (path.starts_with('/')) path = path.substr(house.directory.size() + 1);
  const Fd directory(::open(house.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_failure("cannot open the directory of images", house.directory);
  auto image = open_beneath(directory.get(), path, O_RDONLY | O_NONBLOCK);
  if (!image && image.error().kind == Failure::Kind::not_found)
    return failure(Failure::Kind::not_found, "there is no image " + name + remedy());
  if (!image) return image;
  SUAN_TRY(const struct stat about, read_about(image->get()));
  if (S_ISDIR(about.st_mode) || (S_ISREG(about.st_mode) && !wants_directory)) return image;
  return failure(Failure::Kind::invalid,
                 wants_directory ? "the image " + name + " is no directory"
                                 : "the image " + name + " is neither a directory nor an archive");
}

Result<PreparedImage> prepare_image(const std::string& state, const ImageHouse& house,
                                    const std::string& name, const ImageBounds& bounds) {
  SUAN_TRY(const Fd image, open_image(house, name));
  SUAN_TRY(const struct stat about, read_about(image.get()));
  if (!S_ISDIR(about.st_mode)) return prepare_archive(state, house, image.get(), bounds);
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(image.get());
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  if (size <= 0 || size == std::ssize(path)) return system_failure("cannot find", name);
  PreparedImage prepared;
  prepared.rootfs.assign(path.data(), static_cast<std::size_t>(size));
  if (::faccessat(image.get(), "oci-layout", F_OK, 0) == 0)
    return failure(Failure::Kind::invalid,
                   "the image " + name +
                       " is the directory of an OCI layout; pack it by tar and name the archive");
  return prepared;
}

Result<Fd> hold_image(const std::string& state, const PreparedImage& prepared) {
  if (prepared.digest.empty()) return Fd();
  SUAN_TRY(const Fd images, open_images(state));
  SUAN_TRY(Fd lock, lock_entry(images.get(), prepared.digest, LOCK_SH));
  if (!read_entry(images.get(), prepared.digest))
    return failure(Failure::Kind::not_found, "the image was removed before it was used");
  ::futimens(lock.get(), nullptr);
  return lock;
}

int evict_images(const std::string& state, std::int64_t bytes_max) {
  struct Entry {
    std::string digest;
    std::int64_t bytes = 0;
    timespec used{};
  };
  const auto images = open_images(state);
  if (!images) return 0;
  std::vector<Entry> entries;
  std::int64_t bytes = 0;
  for (const std::string& name : names_in(images->get(), ".")) {
    if (!parse_digest(name)) continue;
    const auto image = read_entry(images->get(), name);
    struct stat about{};
    if (!image || ::fstatat(images->get(), (name + ".lock").c_str(), &about, 0) != 0) continue;
    entries.push_back({.digest = name, .bytes = image->bytes, .used = about.st_mtim});
    bytes += image->bytes;
  }
  std::ranges::sort(entries, {}, [](const Entry& each) {
    return std::pair(each.used.tv_sec, each.used.tv_nsec);
  });
  int removed = 0;
  for (const Entry& each : entries) {
    if (bytes <= bytes_max) break;
    const auto lock = lock_entry(images->get(), each.digest, LOCK_EX | LOCK_NB);
    if (!lock || !remove_entry(images->get(), each.digest)) continue;
    ::unlinkat(images->get(), (each.digest + ".lock").c_str(), 0);
    bytes -= each.bytes;
    ++removed;
  }
  return removed;
}

Result<void> open_image_store(const std::string& state) {
  SUAN_CHECK(make_directory(AT_FDCWD, state + "/images"));
  SUAN_TRY(const Fd images, open_images(state));
  SUAN_CHECK(make_directory(images.get(), "known"));
  for (const std::string& name : names_in(images.get(), ".")) {
    const std::string digest = name.substr(0, name.find('.'));
    if (name == digest || !parse_digest(digest)) continue;
    // A supervisor of an earlier server may be unpacking it.
    const auto lock = lock_entry(images.get(), digest, LOCK_EX | LOCK_NB);
    if (!lock) continue;
    if (!name.ends_with(".lock")) remove_tree(images.get(), name);
    if (!read_entry(images.get(), digest)) ::unlinkat(images.get(), (digest + ".lock").c_str(), 0);
  }
  for (const std::string& name : names_in(images.get(), "known")) {
    const auto digest = read_file(images.get(), "known/" + name, 64);
    if (!digest || !read_entry(images.get(), *digest))
      ::unlinkat(images.get(), ("known/" + name).c_str(), 0);
  }
  return {};
}

}  // namespace suan::engine
