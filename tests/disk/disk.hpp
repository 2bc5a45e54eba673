// A disk for SQLite that is all memory, so that it can fail: the default VFS while it lives. It keeps apart what was
// written and what was synced, numbers each call that reaches it, and asks what shall become of the call.
//
//   written   what every process sees, and what is left when the process is killed
//   durable   what was synced. After a power loss of everything written since any part may be there, in any order, and a
//             write may be torn between its sectors of 512 bytes
//
// When the disk has gone off, every call fails and changes nothing, so that what stands above it can be taken down as if
// its process had died; power_loss() or killed() brings it back. Locks and the shared memory of the log's index work
// between the connections of this process. One disk lives at a time. For one thread, or under the locks of its caller.
// Uses SQLite's interface for file systems, and Random.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"

namespace perilune::disk {

enum class Call : uint8_t { open, read, write, truncate, sync, remove, size, map, access };
const char* call_name(Call call);
bool changes(Call call);   // write, truncate, sync, remove, and an open that creates

struct Event {
  uint64_t number = 0;     // of this call, from 1
  Call call = Call::read;
  std::string file;        // its last part: "perilune.db-wal"
  int64_t offset = 0;
  int64_t bytes = 0;
};

enum class Verdict : uint8_t {
  pass,
  no_space,                // a write, or what makes a file longer: "disk full"
  io_error,
  half,                    // a write stops in its middle, and fails as one on a full disk does
  off_before, off_after,   // the process or the machine dies: before the call has done anything, when it has done all,
  off_torn,                // or in the middle of a write
};

class Disk {
 public:
  explicit Disk(uint64_t seed);   // of what SQLite takes for random numbers
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  std::function<Verdict(const Event&)> judge;   // null: all pass
  uint64_t calls() const { return calls_; }
  uint64_t syncs() const { return syncs_; }
  bool off() const { return off_; }
  bool syncs_are_lies = false;    // of a disk: a sync is answered and does nothing

  // What is on the disk when the machine, or only the process, comes back. Every connection must be closed by then.
  void power_loss(Random& random);
  void killed();

  // All of it as text, for another process; load() leaves nothing of what was there.
  std::string saved() const;
  void load(const std::string& text);
  // The bytes of a file as they are written, or null.
  std::string* file(const std::string& ending);

 private:
  friend struct Methods;
  struct Change {
    int64_t offset = 0;           // -1: the file is cut to `size` or grows to it
    int64_t size = 0;
    std::string bytes;
  };
  struct File {
    std::string name;
    std::string written, durable;
    std::vector<Change> pending;  // since the last sync, in order
    bool listed = false;          // its name is durable
    bool removed = false;         // and this is not durable yet
    int users = 0, shared = 0;
    bool reserved = false, pending_lock = false, exclusive = false;
    std::vector<std::unique_ptr<std::vector<char>>> regions;   // of the index of the log
    int region_users = 0, region_shared[8] = {};
    bool region_exclusive[8] = {};
  };
  struct Entry;

  Verdict ask(Call call, const std::string& name, int64_t offset, int64_t bytes);
  File* find(const std::string& name);
  void apply(File& file, Change change);
  void sync_names();
  static void apply_to(std::string& image, const Change& change);
  static void tear(std::string& image, const Change& change, Random& random);

  std::map<std::string, std::unique_ptr<File>> files_;
  std::vector<std::unique_ptr<File>> gone_;   // removed while they are open, or not durably
  Random random_;
  uint64_t calls_ = 0, syncs_ = 0;
  bool off_ = false;
  std::unique_ptr<Entry> entry_;
};

}  // namespace perilune::disk
