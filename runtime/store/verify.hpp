// Looks at all of a store for damage: SQLite's own check of the file, every journal with its seals, every run's end, and
// the code by its hashes. Reads only, beside a living owner or without one. Uses sqlite_schema, sqlite_store.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace perilune::store {

struct Damage {
  std::string run;         // id; empty = of the file, or of code
  uint64_t seq = 0;        // the first record that is not good; 0 = none in particular
  std::string what;
};

struct Verdict {
  int64_t runs = 0, records = 0, unsealed = 0, bundles = 0;   // that were looked at; records from before there were seals
  std::vector<Damage> damages;
};

// Errors: those of a store that can't be read at all ("damaged", "not_found", "newer_schema", "storage").
Result<Verdict> verify_sqlite(const std::string& path);

// Copies the store as it stands at one moment, beside a living owner or without one, to a file that must not be there
// yet; it is there when it is whole and on disk. Errors: "usage" (the file is there), "storage", "damaged", "not_found".
Result<void> backup_sqlite(const std::string& path, const std::string& to);

}  // namespace perilune::store
