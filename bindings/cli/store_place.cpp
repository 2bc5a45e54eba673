// Where the store is, by the settings and by what lies on the disk; see config.hpp.
// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "bindings/cli/config.hpp"

namespace perilune::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_home = ".perilune";
constexpr const char* k_database = "perilune.db";

StorePlace in_home(const fs::path& home) {
  StorePlace place;
  place.path = (home / k_database).string();
  place.logs = (home / "logs").string();
  place.in_home = true;
  return place;
}

// Logs of a file elsewhere stand beside it under its name: it may lie anywhere, in /tmp or among other people's files.
StorePlace at_path(fs::path path) {
  path = path.lexically_normal();
  std::error_code failed;
  if (path.has_filename() && fs::is_directory(path, failed)) path /= k_database;
  if (!path.has_filename()) path /= k_database;
  if (path.parent_path().filename() == k_home && path.filename() == k_database) return in_home(path.parent_path());
  StorePlace place;
  place.path = path.string();
  place.logs = path.string() + ".logs";
  return place;
}

}  // namespace

std::string nearest_with(const std::string& directory, const std::string& name) {
  std::error_code failed;
  for (fs::path at = fs::path(directory).lexically_normal();; at = at.parent_path()) {
    if (fs::exists(at / name, failed)) return at.string();
    if (at == at.parent_path()) return "";
  }
}

Result<StorePlace> place_store(const Config& config, const std::string& cwd) {
  std::string url = config.store_url;
  if (url.empty()) {
    std::string directory = nearest_with(cwd, k_home);
    return in_home(fs::path(directory.empty() ? cwd : directory) / k_home);
  }
  if (url == "memory") {
    StorePlace place;
    place.memory = true;
    return place;
  }
  if (url.rfind("sqlite:", 0) == 0) {
    url.erase(0, strlen("sqlite:"));
  } else if (size_t colon = url.find("://"); colon != std::string::npos) {
    return Error(code::k_usage, "unknown store '" + url + "': a store is sqlite:PATH, a path, or memory");
  }
  if (url == ":memory:")  // SQLite's name for it would be a file's name here
    return Error(code::k_usage,
                 "'" + config.store_url + "' names no file; `memory` is the store that keeps nothing, for tests");
  if (url.empty()) return Error(code::k_usage, "the store has no path: write sqlite:PATH");
  return at_path(fs::path(config.store_base) / url);
}

Result<void> make_store_home(const StorePlace& place) {
  if (!place.in_home) return {};
  std::string home = fs::path(place.path).parent_path().string();
  if (mkdir(home.c_str(), 0777) == 0 || errno == EEXIST) return {};
  return Error(code::k_storage, "cannot make " + home + ": " + std::strerror(errno));
}

}  // namespace perilune::cli
