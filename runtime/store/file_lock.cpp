// See file_lock.hpp. OFD locks and not those of F_SETLK: the latter belong to the process, so a second open in the same
// process would get in, and closing any descriptor of the file would drop them.
// SPDX-License-Identifier: MIT
#include "runtime/store/file_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace perilune::store {
namespace {

struct flock whole_file() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

int64_t pid_in(int fd) {
  char text[32] = {};
  ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
  return length > 0 ? std::strtoll(text, nullptr, 10) : 0;
}

Error trouble(const std::string& path, const char* what) {
  return Error(code::k_storage, "cannot " + std::string(what) + " " + path + ": " + std::strerror(errno));
}

}  // namespace

Result<FileLock> FileLock::take(const std::string& path) {
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return trouble(path, "open");
  FileLock held(fd);
  struct flock lock = whole_file();
  if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) return trouble(path, "lock");
    return Error(code::k_owned, "the store is in use by process " + std::to_string(pid_in(fd)) + " (" + path + ")");
  }
  // The new text goes over the old before the rest is cut, so that a reader never finds the file empty.
  std::string pid = std::to_string(getpid()) + "\n";
  bool written = pwrite(fd, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  if (!written || ftruncate(fd, static_cast<off_t>(pid.size())) != 0) return trouble(path, "write");
  return held;
}

int64_t FileLock::holder(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  FileLock closer(fd);
  struct flock lock = whole_file();
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
  return pid_in(fd);
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void FileLock::release() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace perilune::store
