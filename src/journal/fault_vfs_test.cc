#include "journal/fault_vfs.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <sqlite3.h>
#include <unistd.h>

#include "journal/scratch.h"
#include "testing/property.h"

namespace suan::journal {

namespace {

sqlite3_vfs* system_vfs() {
  static sqlite3_vfs* const found = sqlite3_vfs_find("unix");
  return found;
}

}  // namespace

/// An open file: its bytes are the FaultVfs's, its locks and shared memory the system's.
struct FaultFile {
  sqlite3_file base;
  FaultVfs* vfs;
  std::string path;
  sqlite3_file* system;

  static FaultFile& of(sqlite3_file* file) { return *reinterpret_cast<FaultFile*>(file); }
  static FaultVfs& vfs_of(sqlite3_vfs* vfs) { return *static_cast<FaultVfs*>(vfs->pAppData); }
  static const sqlite3_io_methods methods;

  static int open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags, int* out) {
    file->pMethods = nullptr;
    FaultVfs& vfs = vfs_of(self);
    if (vfs.is_off_) return SQLITE_CANTOPEN;
    auto* opened = new (file) FaultFile{{nullptr}, &vfs, path, nullptr};
    opened->system = reinterpret_cast<sqlite3_file*>(
        new char[static_cast<std::size_t>(system_vfs()->szOsFile)]());
    const int code = system_vfs()->xOpen(system_vfs(), path, opened->system, flags, out);
    if (code != SQLITE_OK) {
      opened->end();
      return code;
    }
    vfs.content_of(opened->path);
    file->pMethods = &methods;
    return SQLITE_OK;
  }

  void end() {
    delete[] reinterpret_cast<char*>(system);
    this->~FaultFile();
  }

  static int close(sqlite3_file* file) {
    FaultFile& self = of(file);
    if (self.system->pMethods != nullptr) self.system->pMethods->xClose(self.system);
    self.end();
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    FaultFile& self = of(file);
    if (self.vfs->is_off_) return SQLITE_IOERR_READ;
    const std::string& current = self.vfs->content_of(self.path).current;
    const auto from = std::min(static_cast<std::size_t>(offset), current.size());
    const auto there = std::min(static_cast<std::size_t>(size), current.size() - from);
    std::memcpy(out, current.data() + from, there);
    std::memset(static_cast<char*>(out) + there, 0, static_cast<std::size_t>(size) - there);
    return there == static_cast<std::size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }

  int change(FaultVfs::Change change) {
    if (vfs->is_off_) return SQLITE_IOERR_WRITE;
    if (vfs->is_full_ && !change.is_cut) return SQLITE_FULL;
    FaultVfs::Content& content = vfs->content_of(path);
    const std::size_t end = change.offset + change.bytes.size();
    if (change.is_cut || end > content.current.size()) content.current.resize(end);
    std::copy(change.bytes.begin(), change.bytes.end(),
              content.current.begin() + static_cast<std::ptrdiff_t>(change.offset));
    content.unsynced.push_back(std::move(change));
    vfs->last_written_ = path;
    return vfs->survives_event() ? SQLITE_OK : SQLITE_IOERR_WRITE;
  }

  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    return of(file).change(
        {.offset = static_cast<std::uint64_t>(offset),
         .bytes = std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size))});
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return of(file).change(
        {.offset = static_cast<std::uint64_t>(size), .bytes = {}, .is_cut = true});
  }

  static int sync(sqlite3_file* file, int) {
    FaultFile& self = of(file);
    if (self.vfs->is_off_ || self.vfs->fail_syncs_) return SQLITE_IOERR_FSYNC;
    self.vfs->last_written_.clear();
    if (!self.vfs->survives_event()) return SQLITE_IOERR_FSYNC;
    ++self.vfs->syncs_;
    FaultVfs::Content& content = self.vfs->content_of(self.path);
    content.unsynced.clear();
    write_whole(self.path, content.current);
    return SQLITE_OK;
  }

  static int size(sqlite3_file* file, sqlite3_int64* size) {
    FaultFile& self = of(file);
    if (self.vfs->is_off_) return SQLITE_IOERR_FSTAT;
    *size = static_cast<sqlite3_int64>(self.vfs->content_of(self.path).current.size());
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* self, const char* path, int sync) {
    FaultVfs& vfs = vfs_of(self);
    if (vfs.is_off_) return SQLITE_IOERR_DELETE;
    vfs.last_written_.clear();
    if (!vfs.survives_event()) return SQLITE_IOERR_DELETE;
    vfs.contents_.erase(path);
    return system_vfs()->xDelete(system_vfs(), path, sync);
  }

  static int lock(sqlite3_file* file, int level) {
    return of(file).system->pMethods->xLock(of(file).system, level);
  }
  static int unlock(sqlite3_file* file, int level) {
    return of(file).system->pMethods->xUnlock(of(file).system, level);
  }
  static int check_lock(sqlite3_file* file, int* out) {
    return of(file).system->pMethods->xCheckReservedLock(of(file).system, out);
  }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector(sqlite3_file* file) {
    return of(file).system->pMethods->xSectorSize(of(file).system);
  }
  static int characteristics(sqlite3_file* file) {
    return of(file).system->pMethods->xDeviceCharacteristics(of(file).system);
  }
  static int map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return of(file).system->pMethods->xShmMap(of(file).system, page, size, extend, out);
  }
  static int lock_map(sqlite3_file* file, int offset, int count, int flags) {
    return of(file).system->pMethods->xShmLock(of(file).system, offset, count, flags);
  }
  static void barrier(sqlite3_file* file) {
    of(file).system->pMethods->xShmBarrier(of(file).system);
  }
  static int unmap(sqlite3_file* file, int remove_it) {
    return of(file).system->pMethods->xShmUnmap(of(file).system, remove_it);
  }
};

const sqlite3_io_methods FaultFile::methods = {
    2,      close,      read,    write,  truncate,        sync, size,     lock,
    unlock, check_lock, control, sector, characteristics, map,  lock_map, barrier,
    unmap,  nullptr,    nullptr};

FaultVfs::FaultVfs()
    : name_("fault-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))),
      vfs_(std::make_unique<sqlite3_vfs>(*system_vfs())) {
  vfs_->szOsFile = sizeof(FaultFile);
  vfs_->pNext = nullptr;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = FaultFile::open;
  vfs_->xDelete = FaultFile::remove;
  sqlite3_vfs_register(vfs_.get(), 0);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

void FaultVfs::cut_power_at(std::uint64_t event, Unsynced unsynced, std::uint64_t seed) {
  cut_at_ = event;
  unsynced_ = unsynced;
  random_ = Random(seed);
}

bool FaultVfs::survives_event() {
  if (++events_ == cut_at_) cut_power();
  return !is_off_;
}

FaultVfs::Content& FaultVfs::content_of(const std::string& path) {
  const auto [at, is_new] = contents_.try_emplace(path);
  if (is_new) at->second.current = read_whole(path);
  return at->second;
}

void FaultVfs::cut_power() {
  if (is_off_) return;
  is_off_ = true;
  for (auto& [path, content] : contents_) lose(path, content);
}

void FaultVfs::lose(const std::string& path, Content& content) {
  if (content.unsynced.empty()) return;
  std::string durable = read_whole(path);
  for (Change& change : content.unsynced) {
    const bool is_last = path == last_written_ && &change == &content.unsynced.back();
    if (unsynced_ == Unsynced::lost && !is_last) continue;
    if (!is_last && random_.chance(1, 2)) continue;
    if (is_last && change.is_cut && random_.chance(1, 2)) continue;
    if (is_last && !change.is_cut) change.bytes.resize(random_.below(change.bytes.size() + 1));
    const std::size_t end = change.offset + change.bytes.size();
    if (change.is_cut || end > durable.size()) durable.resize(end);
    std::copy(change.bytes.begin(), change.bytes.end(),
              durable.begin() + static_cast<std::ptrdiff_t>(change.offset));
  }
  write_whole(path, durable);
}

namespace {

// A file written through the VFS, as the snapshots are.
struct Opened {
  explicit Opened(FaultVfs& vfs, const std::string& path_given)
      : path(path_given), bytes(sizeof(FaultFile)) {
    sqlite3_vfs* found = sqlite3_vfs_find(vfs.name().c_str());
    file = reinterpret_cast<sqlite3_file*>(bytes.data());
    code = found->xOpen(found, path.c_str(), file,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL,
                        nullptr);
  }
  ~Opened() {
    if (code == SQLITE_OK) file->pMethods->xClose(file);
  }
  int write(const std::string& text, int offset) {
    return file->pMethods->xWrite(file, text.data(), static_cast<int>(text.size()), offset);
  }
  int sync() { return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL); }

  std::string path;
  std::vector<char> bytes;
  sqlite3_file* file;
  int code;
};

TEST(FaultVfs, OnlySyncedBytesSurviveAPowerCut) {
  const Scratch scratch;
  FaultVfs vfs;
  Opened file(vfs, scratch / "f.1");
  file.write("synced", 0);
  file.sync();
  file.write("later", 6);
  EXPECT_EQ(read_whole(scratch / "f.1"), "synced");
  char seen[11];
  EXPECT_EQ(file.file->pMethods->xRead(file.file, seen, 11, 0), SQLITE_OK);
  EXPECT_EQ(std::string(seen, 11), "syncedlater");
  vfs.cut_power_at(0, FaultVfs::Unsynced::lost, 1);
  file.sync();
  file.write("lost", 0);
  file.write("torn", 4);
  vfs.cut_power();
  EXPECT_TRUE(read_whole(scratch / "f.1").starts_with("sync"));
  EXPECT_EQ(file.write("x", 0), SQLITE_IOERR_WRITE);
  EXPECT_EQ(file.sync(), SQLITE_IOERR_FSYNC);
}

TEST(FaultVfs, TheLastWriteIsTornAnywhere) {
  std::vector<bool> sizes(5);
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Scratch scratch;
    FaultVfs vfs;
    vfs.cut_power_at(1, FaultVfs::Unsynced::lost, seed);
    Opened file(vfs, scratch / "f.1");
    EXPECT_EQ(file.write("torn", 0), SQLITE_IOERR_WRITE);
    sizes.at(read_whole(scratch / "f.1").size()) = true;
  }
  EXPECT_EQ(sizes, std::vector<bool>(5, true));
}

TEST(FaultVfs, AFullDiskAndAFailedSyncAreTold) {
  const Scratch scratch;
  FaultVfs vfs;
  Opened file(vfs, scratch / "f.1");
  vfs.fill_disk(true);
  EXPECT_EQ(file.write("x", 0), SQLITE_FULL);
  vfs.fill_disk(false);
  EXPECT_EQ(file.write("x", 0), SQLITE_OK);
  vfs.fail_syncs(true);
  EXPECT_EQ(file.sync(), SQLITE_IOERR_FSYNC);
  EXPECT_EQ(read_whole(scratch / "f.1"), "");
}

}  // namespace
}  // namespace suan::journal
