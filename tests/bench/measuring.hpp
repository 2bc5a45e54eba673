// What every measure of the bench uses: the clock, a directory of its own, the sizes, and the end on a failure.
// SPDX-License-Identifier: MIT
#pragma once

#include <time.h>

#include <cstdint>
#include <string>

namespace perilune::bench {

struct Sizes {
  int rounds = 5;         // of what is taken in turns; the medians are of these
  bool quick = false;     // a smoke test: the figures mean nothing
  std::string directory;  // where stores and files are made; on the disk that is to be measured
  std::string binary;     // the program `perilune`; empty = there is none
  int scaled(int full, int small) const { return quick ? small : full; }
};

inline double seconds(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The bench measures what works: anything else ends it with this message.
[[noreturn]] void fail(const std::string& message);

// A new directory under the given one; gone with its content at the end.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(const std::string& under);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace perilune::bench
