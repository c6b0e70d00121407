#include "journal/snapshot_files.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include <sqlite3.h>

#include "base/ensure.h"
#include "base/text.h"
#include "journal/append_rules.h"
#include "journal/byte_order.h"
#include "journal/chain.h"

namespace suan::journal {

using Kind = Failure::Kind;

namespace {

// SQLite gives a file of this name the mode of journal.db, as it does for its own companions.
constexpr std::string_view name_prefix = "journal.db-snapshot";
constexpr std::string_view magic = "SUANSNP1";
constexpr std::size_t header_bytes = 8 + 8 + 32 + 8 + 32 + 32;
constexpr std::size_t piece_bytes = 64U << 10U;  // The unix VFS takes less than 128 KiB at once.

using Header = std::array<char, header_bytes>;

Failure vfs_failure(int code, const std::string& path) {
  const Kind kind = (code & 0xFF) == SQLITE_FULL ? Kind::no_space : Kind::io;
  return {.kind = kind, .text = std::string("snapshot: ") + sqlite3_errstr(code), .place = path};
}

/// An open file of a VFS.
class VfsFile {
 public:
  VfsFile(sqlite3_vfs* vfs, std::string path, int flags)
      : path_(std::move(path)),
        bytes_(new char[static_cast<std::size_t>(vfs->szOsFile)]()),
        file_(reinterpret_cast<sqlite3_file*>(bytes_.get())) {
    code_ = vfs->xOpen(vfs, path_.c_str(), file_, flags, nullptr);
  }
  ~VfsFile() {
    if (file_->pMethods != nullptr) file_->pMethods->xClose(file_);
  }
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  bool is_open() const { return code_ == SQLITE_OK; }

  Result<void> write(std::string_view bytes, std::size_t offset) {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, piece_bytes);
      SUAN_CHECK(check(file_->pMethods->xWrite(file_, piece.data(), static_cast<int>(piece.size()),
                                               static_cast<sqlite3_int64>(offset))));
      offset += piece.size();
      bytes.remove_prefix(piece.size());
    }
    return {};
  }
  Result<void> cut() { return check(file_->pMethods->xTruncate(file_, 0)); }
  Result<void> sync() { return check(file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL)); }

  /// False when the file is shorter or cannot be read.
  bool read(char* out, std::size_t size, std::size_t offset) const {
    while (size > 0) {
      const std::size_t piece = std::min(size, piece_bytes);
      if (file_->pMethods->xRead(file_, out, static_cast<int>(piece),
                                 static_cast<sqlite3_int64>(offset)) != SQLITE_OK)
        return false;
      out += piece;
      offset += piece;
      size -= piece;
    }
    return true;
  }
  std::uint64_t size() const {
    sqlite3_int64 size = 0;
    if (file_->pMethods->xFileSize(file_, &size) != SQLITE_OK) return 0;
    return static_cast<std::uint64_t>(size);
  }
  Result<void> check(int code) const {
    if (code == SQLITE_OK) return {};
    return std::unexpected(vfs_failure(code, path_));
  }
  Result<void> check_open() const { return check(code_); }

 private:
  std::string path_;
  std::unique_ptr<char[]> bytes_;
  sqlite3_file* file_;
  int code_ = SQLITE_OK;
};

// SQLITE_OPEN_MAIN_JOURNAL makes the first sync sync the directory too.
constexpr int write_flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL;
constexpr int read_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_JOURNAL;

std::string_view view(const Header& header) {
  return {header.data(), header.size()};
}

void put_digest(char* at, const Digest& digest) {
  std::memcpy(at, digest.bytes.data(), digest.bytes.size());
}

Digest get_digest(const char* at) {
  Digest digest;
  std::memcpy(digest.bytes.data(), at, digest.bytes.size());
  return digest;
}

Header make_header(std::uint64_t sequence, const Digest& chain_hash, std::string_view bytes) {
  Header header;
  char* at = header.data();
  std::memcpy(at, magic.data(), magic.size());
  write_u64(at + 8, sequence);
  put_digest(at + 16, chain_hash);
  write_u64(at + 48, bytes.size());
  put_digest(at + 56, hash_bytes("suan.snapshot.1", bytes));
  put_digest(at + 88, hash_bytes("suan.snaphead.1", view(header).substr(0, 88)));
  return header;
}

bool is_valid(const Header& header, std::uint64_t sequence) {
  const std::string_view all = view(header);
  return all.starts_with(magic) && read_u64(header.data() + 8) == sequence &&
         get_digest(header.data() + 88) == hash_bytes("suan.snaphead.1", all.substr(0, 88));
}

}  // namespace

SnapshotFiles::SnapshotFiles(std::string directory, sqlite3_vfs* vfs)
    : directory_(std::move(directory)), vfs_(vfs) {}

Result<SnapshotFiles> SnapshotFiles::open(std::string directory, const std::string& vfs) {
  sqlite3_vfs* found = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  if (found == nullptr) return failure(Kind::unsupported, "no SQLite VFS named " + vfs);
  return SnapshotFiles(std::move(directory), found);
}

std::string SnapshotFiles::path_of(std::uint64_t sequence) const {
  return directory_ + "/" + std::string(name_prefix) + std::to_string(sequence);
}

std::vector<std::uint64_t> SnapshotFiles::named() const {
  std::vector<std::uint64_t> sequences;
  std::error_code error;
  std::filesystem::directory_iterator at(directory_, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(name_prefix)) continue;
    const auto sequence = parse_integer(std::string_view(name).substr(name_prefix.size()));
    if (sequence && *sequence >= 0) sequences.push_back(static_cast<std::uint64_t>(*sequence));
  }
  std::sort(sequences.rbegin(), sequences.rend());
  return sequences;
}

bool SnapshotFiles::has_header(std::uint64_t sequence) const {
  const VfsFile file(vfs_, path_of(sequence), read_flags);
  Header header;
  return file.is_open() && file.read(header.data(), header.size(), 0) && is_valid(header, sequence);
}

std::vector<std::uint64_t> SnapshotFiles::list() const {
  std::vector<std::uint64_t> sequences = named();
  std::erase_if(sequences, [this](std::uint64_t sequence) { return !has_header(sequence); });
  return sequences;
}

Result<void> SnapshotFiles::write(std::uint64_t sequence, const Digest& chain_hash,
                                  std::string_view bytes) {
  {
    VfsFile file(vfs_, path_of(sequence), write_flags);
    SUAN_CHECK(file.check_open());
    SUAN_CHECK(file.cut());
    // The header last and after a sync of its own: where it is valid, all the bytes are durable.
    SUAN_CHECK(file.write(bytes, header_bytes));
    SUAN_CHECK(file.sync());
    const Header header = make_header(sequence, chain_hash, bytes);
    SUAN_CHECK(file.write(view(header), 0));
    SUAN_CHECK(file.sync());
  }
  return prune();
}

Result<void> SnapshotFiles::prune() {
  const std::vector<std::uint64_t> valid = list();
  const std::size_t kept = std::min(valid.size(), snapshots_kept);
  for (const std::uint64_t sequence : named()) {
    if (std::find(valid.begin(), valid.begin() + static_cast<std::ptrdiff_t>(kept), sequence) !=
        valid.begin() + static_cast<std::ptrdiff_t>(kept))
      continue;
    const std::string path = path_of(sequence);
    const int code = vfs_->xDelete(vfs_, path.c_str(), 0);
    if (code != SQLITE_OK && code != SQLITE_IOERR_DELETE_NOENT)
      return std::unexpected(vfs_failure(code, path));
  }
  return {};
}

Result<std::optional<SnapshotFile>> SnapshotFiles::read(std::uint64_t sequence) const {
  const VfsFile file(vfs_, path_of(sequence), read_flags);
  Header header;
  if (!file.is_open() || !file.read(header.data(), header.size(), 0) || !is_valid(header, sequence))
    return std::nullopt;
  const std::uint64_t size = read_u64(header.data() + 48);
  if (size > file.size() || file.size() - size != header_bytes) return std::nullopt;
  SnapshotFile snapshot{.sequence = sequence,
                        .chain_hash = get_digest(header.data() + 16),
                        .bytes = std::string(size, '\0')};
  if (!file.read(snapshot.bytes.data(), snapshot.bytes.size(), header_bytes) ||
      get_digest(header.data() + 56) != hash_bytes("suan.snapshot.1", snapshot.bytes))
    return std::nullopt;
  return snapshot;
}

}  // namespace suan::journal
