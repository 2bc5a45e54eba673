// Reading, writing and looking at files, see file.hpp. Trees (copy, move, remove) are in file_tree.cpp, patterns in
// file_glob.cpp.
// SPDX-License-Identifier: MIT
#include "runtime/effects/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "runtime/effects/atomic_file.hpp"
#include "runtime/effects/fd.hpp"
#include "runtime/effects/system_error.hpp"

namespace perilune::effects {

namespace {

constexpr size_t k_read_step_bytes = 64 * 1024;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

FileStat stat_of(std::string path, const struct stat& status) {
  FileStat out;
  out.path = std::move(path);
  out.type = S_ISREG(status.st_mode)   ? "file"
             : S_ISDIR(status.st_mode) ? "directory"
             : S_ISLNK(status.st_mode) ? "link"
                                       : "other";
  out.size = status.st_size;
  out.modified_s = static_cast<double>(status.st_mtim.tv_sec) + static_cast<double>(status.st_mtim.tv_nsec) / 1e9;
  out.mode = status.st_mode & 07777;
  return out;
}

}  // namespace

// The size is only a hint: files of /proc say 0, others grow while they are read.
Result<std::string> read_file(const std::string& path, int64_t limit_bytes) {
  const std::string doing = "read " + quoted(path);
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno, doing);
  struct stat status;
  if (fstat(fd.get(), &status) != 0) return system_error(errno, doing);
  const auto limit = static_cast<size_t>(std::max<int64_t>(limit_bytes, 0));
  std::string bytes;
  size_t filled = 0;
  while (true) {
    if (filled > limit) {
      return Error(code::k_limit, "cannot " + doing + ": it is longer than " + std::to_string(limit) + " bytes");
    }
    // One byte more than the limit and than the hint: so that the end is seen without growing again.
    const size_t hint = filled == 0 && status.st_size > 0 ? static_cast<size_t>(status.st_size) + 1 : k_read_step_bytes;
    if (bytes.size() == filled) bytes.resize(filled + std::min(hint, limit + 1 - filled));
    const ssize_t got = read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, doing);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

Result<void> write_file(const std::string& path, std::string_view bytes, uint32_t mode) {
  auto target = AtomicFile::open(path, mode);
  if (!target.ok()) return target.error();
  if (auto written = target->write(bytes); !written.ok()) return written;
  return target->commit();
}

Result<void> append_file(const std::string& path, std::string_view bytes) {
  const std::string doing = "append to " + quoted(path);
  constexpr int k_flags = O_WRONLY | O_APPEND | O_CLOEXEC;
  Fd fd(open(path.c_str(), k_flags));
  const bool made = !fd && errno == ENOENT;
  if (made) fd.reset(open(path.c_str(), k_flags | O_CREAT, 0644));
  if (!fd) return system_error(errno, doing);
  if (auto written = write_all(fd.get(), bytes, doing); !written.ok()) return written;
  if (fsync(fd.get()) != 0 && errno != EINVAL)
    return system_error(errno, doing);  // EINVAL: nothing that could be synced
  return made ? sync_directory_of(path) : Result<void>();
}

Result<std::vector<std::string>> read_lines(const std::string& path, int64_t limit_bytes) {
  auto bytes = read_file(path, limit_bytes);
  if (!bytes.ok()) return bytes.error();
  std::vector<std::string> lines;
  std::string_view rest = *bytes;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return lines;
}

Result<std::vector<FileStat>> list_directory(const std::string& path) {
  const std::string doing = "list " + quoted(path);
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (!directory) return system_error(errno, doing);
  std::vector<FileStat> entries;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr && errno != 0) return system_error(errno, doing);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status;
    if (fstatat(dirfd(directory.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // it went while we looked
      return system_error(errno, "look at " + quoted(path + "/" + name));
    }
    entries.push_back(stat_of(name, status));
  }
  std::sort(entries.begin(), entries.end(), [](const FileStat& a, const FileStat& b) { return a.path < b.path; });
  return entries;
}

Result<FileStat> stat_file(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0) return stat_of(path, status);
  const int number = errno;
  if (lstat(path.c_str(), &status) == 0) return stat_of(path, status);
  return system_error(number, "look at " + quoted(path));
}

Result<void> make_directory(const std::string& path) {
  for (size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    const std::string part = path.substr(0, at);
    if (mkdir(part.c_str(), 0777) == 0) continue;
    const int number = errno;
    struct stat status;
    // Whatever mkdir says of a directory that is there (EEXIST, EROFS, EACCES), it is there.
    if (stat(part.c_str(), &status) != 0) return system_error(number, "make directory " + quoted(part));
    if (!S_ISDIR(status.st_mode)) return system_error(EEXIST, "make directory " + quoted(part));
  }
  return {};
}

Result<std::string> make_temp_directory(const std::string& prefix) {
  std::string path = prefix;
  if (prefix.find('/') == std::string::npos) {
    const char* base = std::getenv("TMPDIR");
    path = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/" + prefix;
  }
  path += "XXXXXX";
  const std::string doing = "make a temporary directory " + quoted(path);
  if (mkdtemp(path.data()) == nullptr) return system_error(errno, doing);
  return path;
}

}  // namespace perilune::effects
