// The store in memory: tests and simulation. With a SimLoop its commits take (seeded) virtual time, and it can be cut:
// what was queued and not committed is lost, as in a crash.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/store/store.hpp"

namespace perilune::store {

// Content that outlives a store, as a disk outlives a process: give the same Disk to the next store.
class MemoryDisk;
std::shared_ptr<MemoryDisk> make_memory_disk();

struct MemoryOptions {
  std::shared_ptr<MemoryDisk> disk;      // null = one of its own
  // Microseconds from flush() to the commit, asked once a batch; null = posted at once.
  std::function<int64_t()> commit_delay_us;
  // Called before each record is committed, with the run's id; false = the "process" dies here: this record, the rest of
  // its batch and everything after are lost and no completion is ever posted. Null = never.
  std::function<bool(const std::string& run, const journal::Record& record)> allow;
};

std::unique_ptr<Store> make_memory_store(MemoryOptions options = {});

}  // namespace perilune::store
