// Files: plain blocking functions (they are run on the pool, offload.hpp), each of which says in its error what it was
// doing and to which path. Writes are atomic: a temporary file beside the target, fsync, rename, fsync of the
// directory. Error codes: "not_found", "denied", "io", "limit", "conflict" (exists already).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace perilune::effects {

struct FileStat {
  std::string path;
  std::string type;       // "file", "directory", "link", "other"
  int64_t size = 0;       // bytes
  double modified_s = 0;  // since 1970
  uint32_t mode = 0;      // permission bits
};

// A file longer than the limit is an error "limit".
Result<std::string> read_file(const std::string& path, int64_t limit_bytes);
// `mode` (less the umask) is for a new file; one that exists keeps its own. Links are followed; what is neither file
// nor absent (/dev/null, a pipe) is written in place.
Result<void> write_file(const std::string& path, std::string_view bytes, uint32_t mode = 0644);
Result<void> append_file(const std::string& path, std::string_view bytes);  // one write(2) with O_APPEND, then fsync
Result<std::vector<std::string>> read_lines(const std::string& path, int64_t limit_bytes);  // without line ends
Result<std::vector<FileStat>> list_directory(const std::string& path);  // sorted by name; paths are names
// Follows links; a link that leads nowhere is a "link". (list_directory does not follow.)
Result<FileStat> stat_file(const std::string& path);
Result<void> copy_file(const std::string& from, const std::string& to);  // atomic as write_file; keeps the mode
Result<void> move_file(const std::string& from, const std::string& to);  // across file systems by copy and remove
Result<void> remove_file(const std::string& path, bool recursive);       // absent = fine
// ** stands for directories of any depth, none among them, and does not follow links; at the end of a pattern it
// matches everything below. Names that begin with a dot are matched only by a dot. Nothing found = an empty list.
Result<std::vector<std::string>> glob_files(const std::string& pattern);  // sorted; * ? [] and ** (any depth)
Result<void> make_directory(const std::string& path);                     // with parents; existing = fine
// In $TMPDIR or /tmp, unless the prefix has a slash. Only we may enter it.
Result<std::string> make_temp_directory(const std::string& prefix);

}  // namespace perilune::effects
