// Batches of operations as transactions: checks each operation, writes it, and commits them together.
// Promises: a refused operation changes nothing and leaves the others alone; a batch that storage fails is rolled back
// whole and every operation in it gets the error. A run's row is written once a batch, and only where a patch changes
// it. For one thread. Uses operation, rules, sqlite_connection, sqlite_rows. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "runtime/store/operation.hpp"
#include "runtime/store/rules.hpp"
#include "runtime/store/sqlite_connection.hpp"

namespace perilune::store {

class SqliteWriter {
 public:
  // Takes a connection to a migrated database.
  static Result<std::unique_ptr<SqliteWriter>> make(SqliteConnection db);

  // Writes the outcome of each operation into it. With `committed`, the records that are on disk now are moved there out of
  // the operations, in the order of their positions.
  void commit(std::vector<Operation>& batch, std::vector<RunRecord>* committed = nullptr);

  SqliteConnection& connection() { return db_; }

 private:
  // Committed facts and those of the transaction under way; a run that is not in it is read from its row.
  using Positions = std::unordered_map<int64_t, Position>;
  struct RowChange {
    RunPatch patch;
    int64_t at_us = 0;
  };

  explicit SqliteWriter(SqliteConnection db) : db_(std::move(db)) {}
  Result<void> prepare();

  // Each fails only where storage does: a refusal is written into the operation.
  Result<void> write_all(std::vector<Operation>& batch);
  Result<void> apply(Operation& operation);
  Result<void> apply(AppendOp& op, std::unique_ptr<Error>& refusal);
  Result<void> apply(CreateOp& op, std::unique_ptr<Error>& refusal);
  Result<void> apply(ClaimOp& op, std::unique_ptr<Error>& refusal);
  Result<void> apply(BundleOp& op);

  Result<void> insert_new(CreateOp& op);
  // `position` is where the journal stands, and stands afterwards.
  Result<void> insert_records(int64_t run_no, const std::vector<journal::Record>& records, Position& position);
  Result<void> forget(int64_t run_no, const Forgotten& range, const Position& position);
  // Null when there is no such run. Valid until the next run is looked up.
  Result<Position*> position_of(int64_t run_no);
  // The row with what this transaction changed in it.
  Result<std::optional<RunRow>> row_of(const std::string& id);
  Result<void> write_changes();
  void take_records(std::vector<Operation>& batch, int64_t position, std::vector<RunRecord>& committed);
  struct Name {
    std::string run, workflow;
  };
  const Name& name_of(int64_t run_no);
  Result<void> write_change(int64_t run_no, const RowChange& change);

  SqliteConnection db_;
  SqliteStatement begin_, commit_, rollback_;
  SqliteStatement insert_record_, keep_seals_, forget_records_, insert_run_, insert_bundle_;
  SqliteStatement select_run_, select_position_, select_name_, update_row_, update_epoch_;
  Positions positions_;
  std::unordered_map<int64_t, RowChange> changes_;
  std::unordered_map<int64_t, Name> names_;   // of runs whose records somebody is told; a cache
  int64_t last_position_ = 0;   // of all records, the forgotten ones with them
};

}  // namespace perilune::store
