// Perilune's database file: opening it as its owner (settings, creation, migration) or as a reader, after finding out
// what it is. Promises: a file that is newer, damaged or somebody else's is left as it is, byte for byte.
// Uses sqlite_connection.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/store/sqlite_connection.hpp"

namespace perilune::store {

inline constexpr int64_t k_schema_version = 3;
inline constexpr int64_t k_application_id = 0x504c756e;  // "PLun"

// For the process that holds the file's lock. Errors: "newer_schema", "damaged", "storage".
Result<SqliteConnection> open_database(const std::string& path, bool relaxed);
// A file of an older schema is read as it is. Errors: "not_found", "newer_schema", "damaged", "storage".
Result<SqliteConnection> open_database_for_reading(const std::string& path);

// SQL that makes an empty file one of an older schema, for tests of what becomes of it.
std::string schema_up_to(int64_t version);

}  // namespace perilune::store
