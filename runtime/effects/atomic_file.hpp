// A file that appears whole or not at all: written beside its target under another name, synced, renamed over the
// target, and the directory synced. Dropped before commit(), it leaves nothing.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/effects/fd.hpp"

namespace perilune::effects {

class AtomicFile {
 public:
  // `mode` (less the umask) is for a target that does not exist; one that does keeps its own. A target that is a link
  // is followed; one that is a device or a pipe is written in place, since renaming over it would destroy it.
  static Result<AtomicFile> open(const std::string& path, uint32_t mode);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Result<void> write(std::string_view bytes);
  Result<void> set_mode(uint32_t mode);  // exactly, whatever the umask; what is written in place keeps its own
  Result<void> commit();

 private:
  AtomicFile() = default;

  Fd fd_;
  std::string doing_;      // "write 'path'"
  std::string target_;     // links followed
  std::string temporary_;  // empty when written in place, and when it is renamed or removed
};

// Writes everything, in one write(2) when the system takes it so.
Result<void> write_all(int fd, std::string_view bytes, std::string_view doing);

// So that a new name in the directory of `path` survives a power loss.
Result<void> sync_directory_of(const std::string& path);

}  // namespace perilune::effects
