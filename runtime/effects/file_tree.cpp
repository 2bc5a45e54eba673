// Copy, move and remove, see file.hpp. Trees are walked without following links.
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>
#include <vector>

#include "runtime/effects/atomic_file.hpp"
#include "runtime/effects/fd.hpp"
#include "runtime/effects/file.hpp"
#include "runtime/effects/system_error.hpp"

namespace perilune::effects {

namespace {

constexpr size_t k_copy_bytes = 256 * 1024;
constexpr int k_depth_max = 512;  // each level of a removal holds a descriptor

// The names below an open directory; takes the descriptor.
Result<std::vector<std::string>> names_below(int fd, const std::string& path) {
  DIR* opened = fdopendir(fd);
  if (opened == nullptr) {
    const int number = errno;
    close(fd);
    return system_error(number, "list " + quoted(path));
  }
  const auto close_it = [](DIR* directory) { closedir(directory); };
  const std::unique_ptr<DIR, decltype(close_it)> directory(opened, close_it);
  rewinddir(opened);  // a duplicate of a descriptor shares its position
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(opened);
    if (entry == nullptr && errno != 0) return system_error(errno, "list " + quoted(path));
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

// Removes `name` in the directory `parent` and what is below it. By descriptors: a directory that is swapped for a link
// meanwhile leads nowhere else.
Result<void> remove_below(int parent, const std::string& name, const std::string& path, int depth) {
  const std::string doing = "remove " + quoted(path);
  if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return system_error(errno, doing);
  const int number = errno;
  if (depth > k_depth_max) return Error(code::k_limit, "cannot " + doing + ": the directories are nested too deep");
  const Fd fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return system_error(errno == ENOTDIR ? number : errno, doing);
  const int duplicate = fcntl(fd.get(), F_DUPFD_CLOEXEC, 3);
  if (duplicate < 0) return system_error(errno, doing);
  auto names = names_below(duplicate, path);
  if (!names.ok()) return names.error();
  for (const std::string& child : *names) {
    if (auto removed = remove_below(fd.get(), child, path + "/" + child, depth + 1); !removed.ok()) return removed;
  }
  if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return system_error(errno, doing);
  return {};
}

Result<void> copy_link(const std::string& from, const std::string& to) {
  char target[PATH_MAX];
  const ssize_t length = readlink(from.c_str(), target, sizeof target - 1);
  if (length < 0) return system_error(errno, "read link " + quoted(from));
  target[length] = '\0';
  if (symlink(target, to.c_str()) != 0) return system_error(errno, "make link " + quoted(to));
  return {};
}

Result<void> copy_tree(const std::string& from, const std::string& to, int depth) {
  struct stat status;
  if (lstat(from.c_str(), &status) != 0) return system_error(errno, "copy " + quoted(from));
  if (S_ISREG(status.st_mode)) return copy_file(from, to);
  if (S_ISLNK(status.st_mode)) return copy_link(from, to);
  if (!S_ISDIR(status.st_mode))
    return Error(code::k_io, "cannot copy " + quoted(from) + ": neither file nor directory");
  if (depth > k_depth_max) return Error(code::k_limit, "cannot copy " + quoted(from) + ": nested too deep");
  if (mkdir(to.c_str(), 0700) != 0) return system_error(errno, "make directory " + quoted(to));
  auto entries = list_directory(from);
  if (!entries.ok()) return entries.error();
  for (const FileStat& entry : *entries) {
    auto copied = copy_tree(from + "/" + entry.path, to + "/" + entry.path, depth + 1);
    if (!copied.ok()) return copied;
  }
  if (chmod(to.c_str(), status.st_mode & 07777) != 0) return system_error(errno, "set the mode of " + quoted(to));
  return {};
}

// The target appears at once here too: the copy is made under another name beside it.
Result<void> move_across(const std::string& from, const std::string& to) {
  struct stat status;
  if (lstat(from.c_str(), &status) != 0) return system_error(errno, "move " + quoted(from));
  if (S_ISREG(status.st_mode)) {
    if (auto copied = copy_file(from, to); !copied.ok()) return copied;
    return remove_file(from, false);
  }
  const std::string beside = to + ".perilune-move";
  if (auto removed = remove_file(beside, true); !removed.ok()) return removed;
  auto copied = copy_tree(from, beside, 0);
  if (copied.ok() && rename(beside.c_str(), to.c_str()) != 0) {
    copied = system_error(errno, "move " + quoted(from) + " to " + quoted(to));
  }
  if (!copied.ok()) {
    (void)remove_file(beside, true);  // the first error is the one to tell
    return copied;
  }
  if (auto synced = sync_directory_of(to); !synced.ok()) return synced;
  return remove_file(from, true);
}

}  // namespace

Result<void> copy_file(const std::string& from, const std::string& to) {
  const std::string doing = "copy " + quoted(from);
  const Fd source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source) return system_error(errno, doing);
  struct stat status;
  if (fstat(source.get(), &status) != 0) return system_error(errno, doing);
  if (S_ISDIR(status.st_mode)) return system_error(EISDIR, doing);
  auto target = AtomicFile::open(to, 0600);
  if (!target.ok()) return target.error();
  std::string buffer(k_copy_bytes, '\0');
  while (true) {
    const ssize_t got = read(source.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, doing);
    if (got == 0) break;
    auto written = target->write(std::string_view(buffer).substr(0, static_cast<size_t>(got)));
    if (!written.ok()) return written;
  }
  if (auto kept = target->set_mode(status.st_mode & 07777); !kept.ok()) return kept;
  return target->commit();
}

Result<void> move_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) {
    if (errno == EXDEV) return move_across(from, to);
    const int number = errno;
    struct stat status;
    // rename says ENOENT for either side: name the one that it is.
    if (number == ENOENT && lstat(from.c_str(), &status) != 0) return system_error(number, "move " + quoted(from));
    return system_error(number, "move " + quoted(from) + " to " + quoted(to));
  }
  if (auto synced = sync_directory_of(to); !synced.ok()) return synced;
  return sync_directory_of(from);
}

Result<void> remove_file(const std::string& path, bool recursive) {
  const std::string doing = "remove " + quoted(path);
  const std::string trimmed = path.substr(0, path.find_last_not_of('/') + 1);
  const std::string name = trimmed.substr(trimmed.find_last_of('/') + 1);
  // rmdir would refuse these only after everything below is gone.
  if (name.empty() || name == "." || name == "..") {
    return Error(code::k_denied, "cannot " + doing + ": it has no name of its own");
  }
  if (recursive) return remove_below(AT_FDCWD, trimmed, trimmed, 0);
  if (remove(trimmed.c_str()) == 0 || errno == ENOENT) return {};
  return system_error(errno, doing);
}

}  // namespace perilune::effects
