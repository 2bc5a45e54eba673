// Settings: defaults < perilune.json < environment PERILUNE_* < flags, each with its source, so that `doctor` can show
// it. perilune.json is the nearest one from the working directory upwards. An unknown key, and an unknown variable that
// begins with PERILUNE_, are errors that name the nearest. SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/engine/settings.hpp"

namespace perilune::cli {

struct Setting {
  std::string name;    // "limits.cpu"
  std::string value;   // as it was written
  std::string source;  // "default", "/x/perilune.json", "PERILUNE_LIMITS_CPU", "--store"
};

struct Config {
  engine::Settings engine;
  std::string store_url;   // empty = the nearest .perilune, else one made in the working directory
  std::string store_base;  // what a relative path in store_url is relative to
  bool relaxed = false;    // store.durability
  std::vector<std::string> hook_files;   // as they were written
  std::string hooks_base;  // what relative paths in hook_files are relative to
  std::string file;        // the perilune.json that was read, or empty
  std::vector<Setting> settings;
};

// Variables that begin with PERILUNE_ and are not empty.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

// `store` is the flag --store, or empty. Errors have code "usage" and name the source and the key.
Result<Config> load_config(const std::string& cwd, const std::string& store, const Environment& environment);

// Where a store is.
struct StorePlace {
  bool memory = false;
  std::string path;      // of the database file, absolute
  std::string logs;      // directory of the runs' logs; empty for memory
  bool in_home = false;  // the file lies in a .perilune, which may have to be made

  std::string url() const { return memory ? "memory" : "sqlite:" + path; }
};

// Looks, and makes nothing. Error "usage" for a store of a kind that is not known.
Result<StorePlace> place_store(const Config& config, const std::string& cwd);
// Makes the .perilune directory where it is missing. Error "storage".
Result<void> make_store_home(const StorePlace& place);

// The nearest of `directory` and those above it that has an entry `name`; empty when there is none.
std::string nearest_with(const std::string& directory, const std::string& name);

}  // namespace perilune::cli
