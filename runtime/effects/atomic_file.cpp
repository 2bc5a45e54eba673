// Write, sync, rename, sync; see atomic_file.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/atomic_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "runtime/effects/system_error.hpp"

namespace perilune::effects {

namespace {

constexpr int k_name_tries_max = 100;

std::string directory_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The name does not contain the target's: that may be as long as a name can be.
std::string temporary_beside(const std::string& target) {
  uint64_t number = 0;
  if (getentropy(&number, sizeof number) != 0) number = static_cast<uint64_t>(getpid());
  char name[40];
  std::snprintf(name, sizeof name, "/.perilune-%016llx.tmp", static_cast<unsigned long long>(number));
  return directory_of(target) + name;
}

// A link that leads nowhere is replaced by the file.
std::string follow_links(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
  char* real = realpath(path.c_str(), nullptr);
  if (real == nullptr) return path;
  std::string out = real;
  std::free(real);
  return out;
}

}  // namespace

Result<AtomicFile> AtomicFile::open(const std::string& path, uint32_t mode) {
  AtomicFile file;
  file.doing_ = "write " + quoted(path);
  file.target_ = follow_links(path);
  struct stat status;
  const bool exists = stat(file.target_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) return system_error(errno, file.doing_);
  if (path.empty() || path.back() == '/') return system_error(path.empty() ? ENOENT : EISDIR, file.doing_);
  if (exists && S_ISDIR(status.st_mode)) return system_error(EISDIR, file.doing_);
  if (exists && !S_ISREG(status.st_mode)) {
    file.fd_.reset(::open(file.target_.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.fd_) return system_error(errno, file.doing_);
    return file;
  }
  // Renaming needs the right to the directory only: a file that may not be written is left alone here.
  if (exists && access(file.target_.c_str(), W_OK) != 0) return system_error(errno, file.doing_);
  for (int i = 0; i < k_name_tries_max && !file.fd_; i++) {
    std::string name = temporary_beside(file.target_);
    file.fd_.reset(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 07777));
    if (file.fd_) file.temporary_ = std::move(name);
    if (!file.fd_ && errno != EEXIST) break;
  }
  if (!file.fd_) return system_error(errno, file.doing_);
  if (exists) {
    if (auto kept = file.set_mode(status.st_mode & 07777); !kept.ok()) return kept.error();
  }
  return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      doing_(std::move(other.doing_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Result<void> AtomicFile::write(std::string_view bytes) { return write_all(fd_.get(), bytes, doing_); }

Result<void> AtomicFile::set_mode(uint32_t mode) {
  if (temporary_.empty()) return {};  // a device keeps its own
  if (fchmod(fd_.get(), mode & 07777) != 0) return system_error(errno, doing_);
  return {};
}

Result<void> AtomicFile::commit() {
  if (temporary_.empty()) return {};
  if (fsync(fd_.get()) != 0) return system_error(errno, doing_);
  if (rename(temporary_.c_str(), target_.c_str()) != 0) return system_error(errno, doing_);
  temporary_.clear();
  return sync_directory_of(target_);
}

Result<void> write_all(int fd, std::string_view bytes, std::string_view doing) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(errno, doing);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<void> sync_directory_of(const std::string& path) {
  const std::string directory = directory_of(path);
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A directory that may be written but not read cannot be synced; some file systems know no sync of directories.
  if (!fd && errno == EACCES) return {};
  if (!fd || (fsync(fd.get()) != 0 && errno != EINVAL))
    return system_error(errno, "sync directory " + quoted(directory));
  return {};
}

}  // namespace perilune::effects
