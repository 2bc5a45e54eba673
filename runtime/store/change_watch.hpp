// Waits until somebody may have written to a database file, without asking it again and again: the kernel tells of writes to
// the file and its log (inotify). A write is told a moment before its commit can be read, so who finds nothing looks again:
//
//   told --> look: nothing --2 ms--> look: nothing --8 ms--> look ... --> as long as it takes to be told, or the limit
//
// Where the kernel does not tell (a network file system, a directory that is not there yet) the limit alone counts.
// For one thread. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace perilune::store {

class ChangeWatch {
 public:
  // At most so long between two looks.
  explicit ChangeWatch(std::string database, int64_t limit_ms = 1000);
  ~ChangeWatch();
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  enum class Woken : uint8_t { look, limit, input };
  // After a look that found something, or nothing. `input_fd` (-1 = none) ends the wait too, when it can be read.
  Woken wait(bool found, int input_fd = -1);

 private:
  void watch();
  bool drain();

  std::string directory_, name_;
  int64_t limit_ms_;
  int fd_ = -1, watched_ = -1;
  int looks_ = 0;          // since the kernel told of a write; k_looks_max = it is still
};

}  // namespace perilune::store
