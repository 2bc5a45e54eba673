// The calls of SQLite that reach the disk; see disk.hpp. SQLite asks for structs of C functions with the file, or the file
// system, as their first argument: each finds its disk there.
// SPDX-License-Identifier: MIT
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "tests/disk/disk.hpp"

namespace perilune::disk {

namespace {

// An open file, in memory that SQLite gives.
struct OpenFile {
  sqlite3_file base;
  Disk* disk;
  void* file;
  int level;                       // SQLITE_LOCK_...
  bool maps;
  uint16_t shared, exclusive;      // slots of the index's locks
  bool makes_name;                 // its first sync makes its name durable too
  bool goes;                       // removed when it is closed
};

int last_errno = 0;

int refused(Verdict verdict, int code) {
  bool full = verdict == Verdict::no_space || verdict == Verdict::half;
  last_errno = full ? ENOSPC : EIO;
  if (verdict == Verdict::off_before || verdict == Verdict::off_after || verdict == Verdict::off_torn) return SQLITE_IOERR;
  return full ? SQLITE_FULL : code;
}

}  // namespace

struct Disk::Entry {
  sqlite3_vfs vfs = {};
  sqlite3_io_methods methods = {};
  sqlite3_vfs* before = nullptr;
};

struct Methods {
  using File = Disk::File;
  static OpenFile& open_file(sqlite3_file* base) { return *reinterpret_cast<OpenFile*>(base); }
  static File& file_of(OpenFile& open) { return *static_cast<File*>(open.file); }
  static Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

  // ---- the file system
  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags) {
    OpenFile& open = open_file(base);
    open = {};
    Disk& disk = disk_of(vfs);
    std::string name = path == nullptr ? "temporary-" + std::to_string(disk.random_.next()) : path;
    File* file = disk.find(name);
    bool creates = file == nullptr && (flags & SQLITE_OPEN_CREATE) != 0;
    if (creates || file != nullptr) {
      Verdict verdict = disk.ask(Call::open, name, 0, creates ? 1 : 0);
      bool done = verdict == Verdict::pass || verdict == Verdict::off_after;
      if (done && creates) {
        auto made = std::make_unique<File>();
        made->name = name;
        file = made.get();
        disk.files_[name] = std::move(made);
      }
      if (verdict != Verdict::pass) return refused(verdict, SQLITE_CANTOPEN), SQLITE_CANTOPEN;
    }
    if (file == nullptr) return SQLITE_CANTOPEN;
    ++file->users;
    open.base.pMethods = &disk.entry_->methods;
    open.disk = &disk;
    open.file = file;
    open.makes_name = creates && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    open.goes = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    Disk& disk = disk_of(vfs);
    auto found = disk.files_.find(path);
    if (found == disk.files_.end()) return SQLITE_IOERR_DELETE_NOENT;
    Verdict verdict = disk.ask(Call::remove, path, 0, 0);
    if (verdict != Verdict::pass && verdict != Verdict::off_after) return refused(verdict, SQLITE_IOERR_DELETE);
    take_away(disk, path);
    if (sync_directory != 0) disk.sync_names();
    return verdict == Verdict::pass ? SQLITE_OK : refused(verdict, SQLITE_IOERR_DELETE);
  }

  static void take_away(Disk& disk, const std::string& name) {
    auto node = disk.files_.extract(name);
    if (node.empty()) return;
    node.mapped()->removed = true;
    disk.gone_.push_back(std::move(node.mapped()));
  }

  static int access(sqlite3_vfs* vfs, const char* path, int flags, int* answer) {
    Disk& disk = disk_of(vfs);
    Verdict verdict = disk.ask(Call::access, path, 0, 0);
    if (verdict != Verdict::pass) return refused(verdict, SQLITE_IOERR_ACCESS);
    File* file = disk.find(path);
    *answer = file != nullptr && (flags != SQLITE_ACCESS_EXISTS || !file->written.empty());
    return SQLITE_OK;
  }

  static int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs* vfs, int size, char* out) {
    for (int i = 0; i < size; ++i) out[i] = static_cast<char>(disk_of(vfs).random_.next());
    return size;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int current_time(sqlite3_vfs*, sqlite3_int64* out) { return *out = 212'000'000'000'000, SQLITE_OK; }
  static int last_error(sqlite3_vfs*, int, char*) { return last_errno; }

  // ---- a file
  static int close(sqlite3_file* base) {
    OpenFile& open = open_file(base);
    if (open.maps) (void)unmap(base, 0);
    (void)unlock(base, SQLITE_LOCK_NONE);
    File& file = file_of(open);
    --file.users;
    if (open.goes) take_away(*open.disk, file.name);
    return SQLITE_OK;
  }

  static int read(sqlite3_file* base, void* out, int bytes, sqlite3_int64 offset) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    Verdict verdict = open.disk->ask(Call::read, file.name, offset, bytes);
    if (verdict != Verdict::pass) return refused(verdict, SQLITE_IOERR_READ);
    size_t from = std::min(static_cast<size_t>(offset), file.written.size());
    size_t there = std::min(static_cast<size_t>(bytes), file.written.size() - from);
    std::memcpy(out, file.written.data() + from, there);
    std::memset(static_cast<char*>(out) + there, 0, static_cast<size_t>(bytes) - there);
    return there == static_cast<size_t>(bytes) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* base, const void* data, int bytes, sqlite3_int64 offset) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    Verdict verdict = open.disk->ask(Call::write, file.name, offset, bytes);
    size_t length = static_cast<size_t>(bytes);
    if (verdict == Verdict::half || verdict == Verdict::off_torn) length /= 2;
    if (verdict != Verdict::off_before && verdict != Verdict::no_space && verdict != Verdict::io_error)
      open.disk->apply(file, {offset, 0, std::string(static_cast<const char*>(data), length)});
    return verdict == Verdict::pass ? SQLITE_OK : refused(verdict, SQLITE_IOERR_WRITE);
  }

  static int truncate(sqlite3_file* base, sqlite3_int64 size) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    Verdict verdict = open.disk->ask(Call::truncate, file.name, size, 0);
    if (verdict == Verdict::pass || verdict == Verdict::off_after) open.disk->apply(file, {-1, size, {}});
    return verdict == Verdict::pass ? SQLITE_OK : refused(verdict, SQLITE_IOERR_TRUNCATE);
  }

  static int sync(sqlite3_file* base, int) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    Verdict verdict = open.disk->ask(Call::sync, file.name, 0, 0);
    if (verdict == Verdict::no_space || verdict == Verdict::io_error || verdict == Verdict::half)
      return refused(Verdict::io_error, SQLITE_IOERR_FSYNC);
    if (verdict == Verdict::off_before || verdict == Verdict::off_torn) return refused(verdict, 0);
    ++open.disk->syncs_;
    if (!open.disk->syncs_are_lies) {
      for (const Disk::Change& change : file.pending) Disk::apply_to(file.durable, change);
      file.pending.clear();
      if (std::exchange(open.makes_name, false)) open.disk->sync_names();
    }
    return verdict == Verdict::pass ? SQLITE_OK : refused(verdict, 0);
  }

  static int size(sqlite3_file* base, sqlite3_int64* out) {
    OpenFile& open = open_file(base);
    Verdict verdict = open.disk->ask(Call::size, file_of(open).name, 0, 0);
    if (verdict != Verdict::pass) return refused(verdict, SQLITE_IOERR_FSTAT);
    *out = static_cast<sqlite3_int64>(file_of(open).written.size());
    return SQLITE_OK;
  }

  // ---- locks of the file. Nobody waits for one here: who can't have it is told so.
  static int lock(sqlite3_file* base, int level) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    if (open.level >= level) return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
      if (file.pending_lock || file.exclusive) return SQLITE_BUSY;
      ++file.shared;
    } else if (level == SQLITE_LOCK_RESERVED) {
      if (file.reserved) return SQLITE_BUSY;
      file.reserved = true;
    } else {
      if (file.pending_lock && open.level < SQLITE_LOCK_PENDING) return SQLITE_BUSY;
      file.pending_lock = true;
      if (file.shared > 1) return open.level = SQLITE_LOCK_PENDING, SQLITE_BUSY;
      file.exclusive = true;
    }
    open.level = level;
    return SQLITE_OK;
  }

  static int unlock(sqlite3_file* base, int level) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    if (open.level <= level) return SQLITE_OK;
    if (open.level >= SQLITE_LOCK_RESERVED) file.reserved = file.pending_lock = file.exclusive = false;
    if (level == SQLITE_LOCK_NONE) --file.shared;
    open.level = level;
    return SQLITE_OK;
  }

  static int is_reserved(sqlite3_file* base, int* out) { return *out = file_of(open_file(base)).reserved, SQLITE_OK; }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector(sqlite3_file*) { return 4096; }
  // As SQLite takes every disk of today: a write leaves the bytes beside it alone.
  static int traits(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  // ---- the index of the log: memory that the connections share, gone with the last of them
  static int map(sqlite3_file* base, int region, int size, int extend, void volatile** out) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    *out = nullptr;
    if (!open.maps) ++file.region_users;
    open.maps = true;
    if (static_cast<size_t>(region) >= file.regions.size()) {
      if (extend == 0) return SQLITE_OK;
      Verdict verdict = open.disk->ask(Call::map, file.name + "-shm", region, size);
      if (verdict != Verdict::pass) return refused(verdict, SQLITE_IOERR_SHMSIZE);
      while (static_cast<size_t>(region) >= file.regions.size())
        file.regions.push_back(std::make_unique<std::vector<char>>(size));
    }
    *out = file.regions[static_cast<size_t>(region)]->data();
    return SQLITE_OK;
  }

  static int map_lock(sqlite3_file* base, int from, int count, int flags) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    auto mask = static_cast<uint16_t>(((1 << count) - 1) << from);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) return map_unlock(open, from, count), SQLITE_OK;
    for (int slot = from; slot < from + count; ++slot) {
      bool mine = (open.shared >> slot & 1) != 0;
      if (file.region_exclusive[slot] && (open.exclusive >> slot & 1) == 0) return SQLITE_BUSY;
      if ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && file.region_shared[slot] > (mine ? 1 : 0)) return SQLITE_BUSY;
    }
    for (int slot = from; slot < from + count; ++slot) {
      if ((flags & SQLITE_SHM_EXCLUSIVE) != 0) file.region_exclusive[slot] = true;
      else if ((open.shared >> slot & 1) == 0) ++file.region_shared[slot];
    }
    uint16_t& held = (flags & SQLITE_SHM_EXCLUSIVE) != 0 ? open.exclusive : open.shared;
    held = static_cast<uint16_t>(held | mask);
    return SQLITE_OK;
  }

  static void map_unlock(OpenFile& open, int from, int count) {
    File& file = file_of(open);
    for (int slot = from; slot < from + count; ++slot) {
      auto bit = static_cast<uint16_t>(1 << slot);
      if ((open.exclusive & bit) != 0) file.region_exclusive[slot] = false;
      if ((open.shared & bit) != 0) --file.region_shared[slot];
      open.exclusive = static_cast<uint16_t>(open.exclusive & ~bit);
      open.shared = static_cast<uint16_t>(open.shared & ~bit);
    }
  }

  static void barrier(sqlite3_file*) {}
  static int unmap(sqlite3_file* base, int) {
    OpenFile& open = open_file(base);
    File& file = file_of(open);
    map_unlock(open, 0, 8);
    if (open.maps && --file.region_users == 0) file.regions.clear();
    open.maps = false;
    return SQLITE_OK;
  }
};

Disk::Disk(uint64_t seed) : random_(seed), entry_(std::make_unique<Entry>()) {
  sqlite3_initialize();
  entry_->before = sqlite3_vfs_find(nullptr);
  sqlite3_io_methods& file = entry_->methods;
  file = {2, Methods::close, Methods::read, Methods::write, Methods::truncate, Methods::sync, Methods::size, Methods::lock,
          Methods::unlock, Methods::is_reserved, Methods::control, Methods::sector, Methods::traits, Methods::map,
          Methods::map_lock, Methods::barrier, Methods::unmap, nullptr, nullptr};
  sqlite3_vfs& vfs = entry_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(OpenFile);
  vfs.mxPathname = 1024;
  vfs.zName = "perilune-disk";
  vfs.pAppData = this;
  vfs.xOpen = Methods::open;
  vfs.xDelete = Methods::remove;
  vfs.xAccess = Methods::access;
  vfs.xFullPathname = Methods::full_path;
  vfs.xRandomness = Methods::randomness;
  vfs.xSleep = Methods::sleep;
  vfs.xGetLastError = Methods::last_error;
  vfs.xCurrentTimeInt64 = Methods::current_time;
  if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) throw std::runtime_error("SQLite does not take the disk");
  sqlite3_randomness(0, nullptr);   // it begins anew, from this disk
}

Disk::~Disk() {
  sqlite3_vfs_unregister(&entry_->vfs);
  sqlite3_vfs_register(entry_->before, 1);
  sqlite3_randomness(0, nullptr);
}

}  // namespace perilune::disk
