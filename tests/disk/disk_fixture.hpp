// What the tests of disks stand on: a file that stands for the database where the store looks for one, settings from the
// environment, and SQLite's own check.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

#include "runtime/store/sqlite_schema.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace perilune::disk {

inline uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// An empty file at a path of a directory that goes away. Its contents are the Disk's.
class Standing {
 public:
  Standing() { std::ofstream made(path()); }
  std::string path() const { return directory_.file("perilune.db"); }

 private:
  store::test::TemporaryDirectory directory_;
};

// Nothing, or what SQLite finds wrong in the file.
inline std::string integrity(const std::string& path) {
  Result<store::SqliteConnection> db = store::open_database_for_reading(path);
  if (!db.ok()) return "it can't be read: " + one_line(db.error());
  Result<std::string> verdict = db->query_text("pragma integrity_check");
  if (!verdict.ok()) return one_line(verdict.error());
  return *verdict == "ok" ? "" : *verdict;
}

}  // namespace perilune::disk
