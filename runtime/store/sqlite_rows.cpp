// See sqlite_rows.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/sqlite_rows.hpp"

#include <optional>

namespace perilune::store {

// A record does not touch its run's row: the journal's end and its time are read off the records.
const char* const k_select_run =
    "select no, id, status, workflow, version, bundle, session, parent, epoch, created_us,"
    " max(updated_us, coalesce((select at_us from records where run = runs.no order by seq desc limit 1), 0)),"
    " wake_us, coalesce((select max(seq) from records where run = runs.no), 0), input, output, error from runs ";

Result<RunRow> read_run(const SqliteStatement& row) {
  std::optional<Status> status = status_from_name(row.text(2));
  RunRow run;
  run.no = row.integer(0);
  run.id = row.text(1);
  run.status = status.value_or(Status::quarantined);
  run.workflow = row.text(3);
  run.version = row.integer(4);
  run.bundle = row.text(5);
  run.session = row.text(6);
  run.parent = row.text(7);
  run.epoch = static_cast<uint64_t>(row.integer(8));
  run.created_us = row.integer(9);
  run.updated_us = row.integer(10);
  run.wake_us = row.integer(11);
  run.last_seq = static_cast<uint64_t>(row.integer(12));
  run.input = row.text(13);
  run.output = row.text(14);
  run.error = row.text(15);
  if (!status)   // the other runs are to be seen all the same
    run.error = to_json_text(Error(code::k_damaged, "run '" + run.id + "' has the unknown status '" + row.text(2) + "'"));
  return run;
}

const char* const k_select_records =
    "select seq, generation, kind, op, task, name, fingerprint, at_us, data from records"
    " where run = ?1 and seq >= ?2 order by seq limit ?3";

Result<journal::Record> read_record(const SqliteStatement& row) {
  int64_t kind = row.integer(2);
  if (kind < 1 || kind > UINT8_MAX) {
    return Error(code::k_damaged,
                 "record " + std::to_string(row.integer(0)) + " has the unknown kind " + std::to_string(kind));
  }
  journal::Record record;
  record.seq = static_cast<uint64_t>(row.integer(0));
  record.generation = static_cast<uint32_t>(row.integer(1));
  record.kind = static_cast<journal::Kind>(kind);
  record.op = static_cast<uint32_t>(row.integer(3));
  record.task = row.text(4);
  record.name = row.text(5);
  record.fingerprint = static_cast<uint64_t>(row.integer(6));
  record.at_us = row.integer(7);
  record.data = row.text(8);
  return record;
}

const char* const k_select_sealed_records =
    "select seq, generation, kind, op, task, name, fingerprint, at_us, data, seal, before from records"
    " where run = ?1 order by seq";

journal::Seal read_seal(const SqliteStatement& row) {
  journal::Seal seal;
  if (!row.is_null(9)) seal.seal = static_cast<uint64_t>(row.integer(9));
  if (!row.is_null(10)) seal.before = static_cast<uint64_t>(row.integer(10));
  return seal;
}

// By rowid, which is the position in every version of the schema: a reader may meet an older one.
const char* const k_select_records_of_all =
    "select seq, generation, kind, op, task, name, fingerprint, at_us, data, runs.id, runs.workflow, records.rowid"
    " from records join runs on runs.no = records.run ";

Result<RunRecord> read_run_record(const SqliteStatement& row) {
  Result<journal::Record> record = read_record(row);
  if (!record) return record.error();
  return RunRecord{row.text(9), row.text(10), std::move(*record), position_of(row)};
}

int64_t position_of(const SqliteStatement& row) { return row.integer(11); }

bool passes(const SqliteStatement& row, const journal::RecordFilter& filter) {
  if (filter.run.empty() && filter.workflow.empty() && filter.kinds.empty()) return true;
  return filter.passes(row.text(9), row.text(10), static_cast<journal::Kind>(row.integer(2)));
}

const char* const k_insert_run =
    "insert into runs (id, status, workflow, version, bundle, session, parent, epoch, created_us, updated_us, wake_us,"
    " input, output, error) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

void bind_run(SqliteStatement& insert, const RunRow& row) {
  insert.bind(1, row.id).bind(2, status_name(row.status)).bind(3, row.workflow).bind(4, row.version);
  insert.bind(5, row.bundle).bind(6, row.session).bind(7, row.parent).bind(8, static_cast<int64_t>(row.epoch));
  insert.bind(9, row.created_us).bind(10, row.updated_us).bind(11, row.wake_us);
  insert.bind(12, row.input).bind(13, row.output).bind(14, row.error);
}

const char* const k_insert_record =
    "insert into records (run, seq, generation, kind, op, task, name, fingerprint, at_us, data, position,"
    " seal, before) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

void bind_record(SqliteStatement& insert, int64_t run_no, const journal::Record& record, int64_t position,
                 const journal::Seal& seal) {
  insert.bind(1, run_no).bind(2, static_cast<int64_t>(record.seq)).bind(3, static_cast<int64_t>(record.generation));
  insert.bind(4, static_cast<int64_t>(record.kind)).bind(5, static_cast<int64_t>(record.op));
  insert.bind(6, record.task).bind(7, record.name).bind(8, static_cast<int64_t>(record.fingerprint));
  insert.bind(9, record.at_us).bind(10, record.data).bind(11, position);
  insert.bind(12, static_cast<int64_t>(seal.seal.value_or(0)));
  if (seal.before)
    insert.bind(13, static_cast<int64_t>(*seal.before));
  else
    insert.bind_null(13);
}

}  // namespace perilune::store
