// The store's file under plain SQLite: same tables, indexes and pragmas, none of the store's code on the way.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace perilune::bench {

class BareDatabase {
 public:
  // Makes the file. A checkpoint comes each `checkpoint_pages`.
  BareDatabase(const std::string& path, int checkpoint_pages);
  ~BareDatabase();
  BareDatabase(const BareDatabase&) = delete;
  BareDatabase& operator=(const BareDatabase&) = delete;

  void begin();
  void commit();
  void insert_run(int64_t run);
  void end_run(int64_t run);
  void insert_record(int64_t run, int64_t seq, int kind, std::string_view data);
  // Reads a run's records into strings; the number of bytes.
  size_t read_run(int64_t run);

 private:
  sqlite3_stmt* prepare(const char* sql);
  void run_statement(sqlite3_stmt* statement);
  void execute(const char* sql);

  sqlite3* db_ = nullptr;
  sqlite3_stmt *begin_ = nullptr, *commit_ = nullptr, *insert_run_ = nullptr, *end_run_ = nullptr,
               *insert_record_ = nullptr, *select_ = nullptr;
};

// What a step that returns { i = i, ok = true } records.
std::string step_data(int64_t i);

}  // namespace perilune::bench
