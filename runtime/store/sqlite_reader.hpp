// The reading face of a database file. Uses sqlite_connection, sqlite_rows.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "runtime/store/sqlite_connection.hpp"
#include "runtime/store/store.hpp"

namespace perilune::store {

std::unique_ptr<StoreReader> make_sqlite_reader(SqliteConnection db);
// A reader that could not be opened: every call answers with `why`.
std::unique_ptr<StoreReader> make_failed_reader(Error why);

}  // namespace perilune::store
