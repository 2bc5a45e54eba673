// The store in one SQLite file: WAL, synchronous=FULL, one read-write connection on one committer thread that takes all
// that is queued into one transaction and does every checkpoint; readers are apart and read-only.
// One process owns the file: an open-file-description lock on "<file>.lock", which dies with the process.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "runtime/store/store.hpp"

namespace perilune::store {

struct SqliteOptions {
  std::string path;            // of the database file; its directory must exist
  bool relaxed = false;        // synchronous=NORMAL: the last commits may be lost at power loss, never the file
};

// Opens, creating or migrating the file. Errors: "owned" (names the holder's pid), "newer_schema" (nothing written),
// "damaged", "storage" (with the path and SQLite's words).
Result<std::unique_ptr<Store>> open_sqlite(const SqliteOptions& options);

// Opens an existing file for reading only, beside a living owner or without one. Error "not_found" when there is none.
Result<std::unique_ptr<StoreReader>> open_sqlite_reader(const std::string& path);

// The pid of the process that owns the file, or 0.
int64_t sqlite_owner_pid(const std::string& path);

}  // namespace perilune::store
