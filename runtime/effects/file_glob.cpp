// Patterns of file names, see file.hpp: a pattern is a row of segments; each step takes one segment off.
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "runtime/effects/file.hpp"
#include "runtime/effects/system_error.hpp"

namespace perilune::effects {

namespace {

constexpr size_t k_matches_max = 1'000'000;
constexpr size_t k_places_max = 4'000'000;  // (directory, rest of the pattern) looked at
constexpr size_t k_depth_max = 512;

struct Glob {
  std::vector<std::string> segments;  // no two ** in a row
  bool only_directories = false;      // the pattern ends in a slash
  std::set<std::string> matches;
  std::set<std::pair<std::string, size_t>> seen;  // several ** reach a place on several ways
  std::optional<Error> failure;

  void visit(const std::string& base, size_t at, size_t depth);
  void visit_literal(const std::string& base, size_t at, size_t depth);
  void visit_names(const std::string& base, size_t at, size_t depth);
  void take(const std::string& path, bool is_directory);
};

struct Name {
  std::string name;
  bool is_directory;        // itself
  bool leads_to_directory;  // or a link to one
};

bool has_magic(std::string_view segment) { return segment.find_first_of("*?[\\") != std::string_view::npos; }

std::string joined(const std::string& base, std::string_view name) {
  if (base.empty() || base.back() == '/') return base + std::string(name);
  return base + "/" + std::string(name);
}

bool is_directory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// What is not there, not a directory or closed to us holds no names; other trouble is trouble.
Result<std::vector<Name>> names_in(const std::string& base) {
  const std::string path = base.empty() ? "." : base;
  const auto close_it = [](DIR* opened) { closedir(opened); };
  const std::unique_ptr<DIR, decltype(close_it)> directory(opendir(path.c_str()), close_it);
  std::vector<Name> names;
  if (!directory) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP || errno == ENAMETOOLONG) return names;
    return system_error(errno, "list " + quoted(path));
  }
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr && errno != 0) return system_error(errno, "list " + quoted(path));
    if (entry == nullptr) return names;
    Name found{entry->d_name, entry->d_type == DT_DIR, entry->d_type == DT_DIR};
    if (found.name == "." || found.name == "..") continue;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat status;
      found.is_directory = lstat(joined(base, found.name).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    }
    found.leads_to_directory = found.is_directory;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      found.leads_to_directory = found.is_directory || is_directory(joined(base, found.name));
    }
    names.push_back(std::move(found));
  }
}

void Glob::take(const std::string& path, bool directory) {
  if (only_directories && !directory) return;
  matches.insert(only_directories ? path + "/" : path);
  if (matches.size() > k_matches_max) failure = Error(code::k_limit, "the pattern matches too many files");
}

void Glob::visit(const std::string& base, size_t at, size_t depth) {
  if (failure) return;
  if (depth > k_depth_max || seen.size() >= k_places_max) {
    failure = Error(code::k_limit, "the pattern leads too deep, at " + quoted(base));
    return;
  }
  if (!seen.emplace(base, at).second) return;
  if (has_magic(segments[at])) {
    visit_names(base, at, depth);
  } else {
    visit_literal(base, at, depth);
  }
}

// A name without magic is not looked for in its directory, which need not be readable.
void Glob::visit_literal(const std::string& base, size_t at, size_t depth) {
  const std::string path = joined(base, segments[at]);
  if (at + 1 < segments.size()) {
    if (is_directory(path)) visit(path, at + 1, depth + 1);
    return;
  }
  struct stat status;
  if (lstat(path.c_str(), &status) == 0) take(path, is_directory(path));
}

void Glob::visit_names(const std::string& base, size_t at, size_t depth) {
  const bool any_depth = segments[at] == "**";
  const bool last = at + 1 == segments.size();
  if (any_depth && !last) visit(base, at + 1, depth + 1);  // ** as no directory at all
  auto names = names_in(base);
  if (!names.ok()) {
    failure = std::move(names.error());
    return;
  }
  for (const Name& found : *names) {
    if (failure) return;
    const std::string& pattern = any_depth ? "*" : segments[at];
    if (fnmatch(pattern.c_str(), found.name.c_str(), FNM_PERIOD) != 0) continue;
    const std::string path = joined(base, found.name);
    if (last) take(path, found.leads_to_directory);
    if (any_depth && found.is_directory) visit(path, at, depth + 1);
    if (!any_depth && !last && found.leads_to_directory) visit(path, at + 1, depth + 1);
  }
}

}  // namespace

Result<std::vector<std::string>> glob_files(const std::string& pattern) {
  if (pattern.find('\0') != std::string::npos) {
    return Error(code::k_usage, "a pattern contains a NUL: " + quoted(pattern));
  }
  Glob glob;
  for (size_t begin = 0; begin <= pattern.size();) {
    const size_t end = std::min(pattern.find('/', begin), pattern.size());
    const std::string segment = pattern.substr(begin, end - begin);
    const bool repeated = segment == "**" && !glob.segments.empty() && glob.segments.back() == "**";
    if (!segment.empty() && !repeated) glob.segments.push_back(segment);
    begin = end + 1;
  }
  if (glob.segments.empty()) return std::vector<std::string>();
  glob.only_directories = pattern.back() == '/';
  glob.visit(pattern[0] == '/' ? "/" : "", 0, 0);
  if (glob.failure) {
    glob.failure->message = "cannot match " + quoted(pattern) + ": " + glob.failure->message;
    return std::move(*glob.failure);
  }
  return std::vector<std::string>(glob.matches.begin(), glob.matches.end());
}

}  // namespace perilune::effects
