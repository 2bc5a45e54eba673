// The right to own a file: an open-file-description lock on a file beside it, which holds the owner's pid as text.
// Promises: a second taker, in another process or in this one, is told at once who holds it and writes nothing; the
// lock ends with the process, however that ends. The lock file itself stays: to remove it would let two owners in.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace perilune::store {

class FileLock {
 public:
  // Errors: "owned" (names the holder's pid), "storage".
  static Result<FileLock> take(const std::string& path);
  // The pid of the holder, or 0.
  static int64_t holder(const std::string& path);

  FileLock() = default;
  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock() { release(); }
  void release();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace perilune::store
