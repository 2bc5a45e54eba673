// Rows of the database as RunRow and Record: the columns in one order, for those who read them and write them.
// Uses sqlite_connection.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/journal/chain.hpp"
#include "runtime/store/sqlite_connection.hpp"
#include "runtime/store/store.hpp"

namespace perilune::store {

// "select ... from runs": add a where clause. read_run() reads a row of it; a status that is none counts as quarantined.
extern const char* const k_select_run;
Result<RunRow> read_run(const SqliteStatement& row);

// Parameters: the run's number, the first seq, the limit (-1 = none).
extern const char* const k_select_records;
Result<journal::Record> read_record(const SqliteStatement& row);

// A journal with its seals, since schema 3. Parameter: the run's number. read_record() and read_seal() read a row of it.
extern const char* const k_select_sealed_records;
journal::Seal read_seal(const SqliteStatement& row);

// Records with the id and the workflow of their runs: add a where clause. read_run_record() reads a row of it, passes()
// looks at whose and of what kind it is without reading the rest.
extern const char* const k_select_records_of_all;
Result<RunRecord> read_run_record(const SqliteStatement& row);
int64_t position_of(const SqliteStatement& row);
bool passes(const SqliteStatement& row, const journal::RecordFilter& filter);

extern const char* const k_insert_run;
void bind_run(SqliteStatement& insert, const RunRow& row);

extern const char* const k_insert_record;
void bind_record(SqliteStatement& insert, int64_t run_no, const journal::Record& record, int64_t position,
                 const journal::Seal& seal);

}  // namespace perilune::store
