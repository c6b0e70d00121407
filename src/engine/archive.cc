#include "engine/archive.h"

#include <clocale>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <unistd.h>

#include "engine/file.h"

namespace suan::engine {
namespace {

constexpr std::size_t block_bytes = 256 << 10U;

struct CloseArchive {
  void operator()(struct archive* each) const { ::archive_read_free(each); }
};
struct CloseLocale {
  void operator()(locale_t each) const { ::freelocale(each); }
};

// libarchive turns names into the character set of the thread's locale; they are to stay as they
// are.
class Utf8Scope {
 public:
  explicit Utf8Scope(locale_t utf8) : before_(utf8 == nullptr ? nullptr : ::uselocale(utf8)) {}
  ~Utf8Scope() {
    if (before_ != nullptr) ::uselocale(before_);
  }
  Utf8Scope(const Utf8Scope&) = delete;
  Utf8Scope& operator=(const Utf8Scope&) = delete;

 private:
  locale_t before_;
};

ArchiveEntry::Kind kind_of(struct archive_entry* entry) {
  if (::archive_entry_hardlink(entry) != nullptr) return ArchiveEntry::Kind::hard_link;
  switch (::archive_entry_filetype(entry)) {
    case AE_IFREG:
      return ArchiveEntry::Kind::file;
    case AE_IFDIR:
      return ArchiveEntry::Kind::directory;
    case AE_IFLNK:
      return ArchiveEntry::Kind::symbolic_link;
    case AE_IFIFO:
      return ArchiveEntry::Kind::pipe;
    default:
      return ArchiveEntry::Kind::other;
  }
}

std::string text_of(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

struct ArchiveReader::Parts {
  std::unique_ptr<struct archive, CloseArchive> archive;
  std::unique_ptr<std::remove_pointer_t<locale_t>, CloseLocale> utf8;
  std::int64_t bytes = 0;  // Of the current entry.

  std::unexpected<Failure> damaged() const {
    return failure(Failure::Kind::invalid,
                   "the archive cannot be read: " + text_of(::archive_error_string(archive.get())));
  }
};

ArchiveReader::ArchiveReader(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

Result<ArchiveReader> ArchiveReader::open(int fd) {
  auto parts = std::make_unique<Parts>();
  parts->utf8.reset(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr));
  const Utf8Scope scope(parts->utf8.get());
  parts->archive.reset(::archive_read_new());
  struct archive* archive = parts->archive.get();
  if (archive == nullptr || ::archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
      ::archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
      ::archive_read_support_format_tar(archive) != ARCHIVE_OK)
    return failure(Failure::Kind::unsupported, "this build cannot read archives");
  if (::archive_read_open_fd(archive, fd, block_bytes) != ARCHIVE_OK)
    return failure(Failure::Kind::invalid,
                   "this is no tar archive, plain or packed by gzip or zstd: " +
                       text_of(::archive_error_string(archive)));
  return ArchiveReader(std::move(parts));
}

Result<bool> ArchiveReader::next(ArchiveEntry& next) {
  const Utf8Scope scope(parts_->utf8.get());
  struct archive_entry* entry = nullptr;
  const int status = ::archive_read_next_header(parts_->archive.get(), &entry);
  if (status == ARCHIVE_EOF) return false;
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return parts_->damaged();
  next.kind = kind_of(entry);
  next.path = text_of(::archive_entry_pathname(entry));
  next.target = next.kind == ArchiveEntry::Kind::hard_link
                    ? text_of(::archive_entry_hardlink(entry))
                    : text_of(::archive_entry_symlink(entry));
  next.mode = ::archive_entry_perm(entry) & 07777U;
  next.user = ::archive_entry_uid(entry);
  next.group = ::archive_entry_gid(entry);
  next.bytes = ::archive_entry_size(entry);
  next.modified_s = ::archive_entry_mtime(entry);
  if (next.bytes < 0) return failure(Failure::Kind::invalid, "a size is negative", next.path);
  parts_->bytes = next.bytes;
  return true;
}

Result<void> ArchiveReader::copy_to(int fd) {
  while (true) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = ::archive_read_data_block(parts_->archive.get(), &block, &size, &offset);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return parts_->damaged();
    if (offset < 0 || offset > parts_->bytes || std::cmp_greater(size, parts_->bytes - offset))
      return failure(Failure::Kind::invalid, "a file is longer than the archive says");
    if (size == 0) continue;
    if (::lseek(fd, offset, SEEK_SET) < 0) return system_failure("cannot write", {});
    SUAN_CHECK(write_whole(fd, {static_cast<const char*>(block), size}));
  }
  // What ends in a hole is as long as it was.
  if (::ftruncate(fd, parts_->bytes) != 0) return system_failure("cannot write", {});
  return {};
}

}  // namespace suan::engine
