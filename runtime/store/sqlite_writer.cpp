// See sqlite_writer.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/sqlite_writer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/store/sqlite_rows.hpp"

namespace perilune::store {
namespace {

// Positions are only a cache: beyond this many it starts again from the rows.
constexpr size_t k_positions_max = 100'000;

void bind_or_null(SqliteStatement& statement, int parameter, const std::optional<std::string>& text) {
  if (text)
    statement.bind(parameter, *text);
  else
    statement.bind_null(parameter);
}

}  // namespace

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::make(SqliteConnection db) {
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(std::move(db)));
  Result<void> done = writer->prepare();
  if (!done) return done.error();
  return writer;
}

Result<void> SqliteWriter::prepare() {
  const std::pair<SqliteStatement*, std::string> statements[] = {
      {&begin_, "begin immediate"},
      {&commit_, "commit"},
      {&rollback_, "rollback"},
      {&insert_record_, k_insert_record},
      // Whoever stays behind one that goes keeps its seal.
      {&keep_seals_,
       "update records set before = coalesce(before, (select seal from records as gone where gone.run = ?1"
       " and gone.seq = records.seq - 1)) where run = ?1 and seq > ?2 and seq <= ?3 + 1"
       " and (seq = ?3 + 1 or seq = ?4 or task = '')"},
      {&forget_records_,
       "delete from records where run = ?1 and seq between ?2 and ?3 and seq <> ?4 and task <> ''"},
      {&insert_run_, k_insert_run},
      {&insert_bundle_, "insert or ignore into bundles (hash, content) values (?1, ?2)"},
      {&select_run_, std::string(k_select_run) + "where id = ?1"},
      {&select_position_,
       "select epoch, coalesce((select max(seq) from records where run = ?1), 0), id,"
       " (select seal from records where run = ?1 order by seq desc limit 1) from runs where no = ?1"},
      {&select_name_, "select id, workflow from runs where no = ?1"},
      {&update_row_,
       "update runs set status = coalesce(?2, status), wake_us = coalesce(?3, wake_us), output = coalesce(?4, output),"
       " error = coalesce(?5, error), updated_us = max(updated_us, ?6) where no = ?1"},
      {&update_epoch_, "update runs set epoch = ?2 where no = ?1"},
  };
  for (const auto& [target, sql] : statements) {
    Result<SqliteStatement> statement = db_.prepare(sql);
    if (!statement) return statement.error();
    *target = std::move(*statement);
  }
  Result<int64_t> last =
      db_.query_integer("select max(coalesce((select max(position) from records), 0), (select gone from positions))");
  if (!last) return last.error();
  last_position_ = *last;
  return {};
}

void SqliteWriter::commit(std::vector<Operation>& batch, std::vector<RunRecord>* committed) {
  int64_t before = last_position_;
  Result<void> done = write_all(batch);
  changes_.clear();
  if (positions_.size() > k_positions_max) positions_.clear();
  if (done) {
    if (committed != nullptr) take_records(batch, before, *committed);
    return;
  }
  // SQLite may have rolled back by itself.
  if (db_.in_transaction()) (void)rollback_.run();
  positions_.clear();
  last_position_ = before;
  for (Operation& operation : batch) operation.refusal = std::make_unique<Error>(done.error());
}

Result<void> SqliteWriter::write_all(std::vector<Operation>& batch) {
  Result<void> done = begin_.run();
  if (!done) return done;
  for (Operation& operation : batch) {
    done = apply(operation);
    if (!done) return done;
  }
  done = write_changes();
  if (!done) return done;
  return commit_.run();
}

// The positions were given in the same order.
void SqliteWriter::take_records(std::vector<Operation>& batch, int64_t position, std::vector<RunRecord>& committed) {
  committed.reserve(static_cast<size_t>(last_position_ - position));
  auto take = [&](const Name& name, std::vector<journal::Record>& records) {
    for (journal::Record& record : records)
      committed.push_back({name.run, name.workflow, std::move(record), ++position});
  };
  for (Operation& operation : batch) {
    if (operation.refusal != nullptr) continue;
    if (auto* append = std::get_if<AppendOp>(&operation.work)) {
      if (!append->append.records.empty()) take(name_of(append->append.run), append->append.records);
    } else if (auto* create = std::get_if<std::unique_ptr<CreateOp>>(&operation.work)) {
      const Created& created = (*create)->created;
      if (!created.existed) take({created.row.id, created.row.workflow}, (*create)->run.records);
    }
  }
}

const SqliteWriter::Name& SqliteWriter::name_of(int64_t run_no) {
  if (auto found = names_.find(run_no); found != names_.end()) return found->second;
  if (names_.size() > k_positions_max) names_.clear();
  SqliteReset reset(select_name_);
  Name name;
  Result<bool> row = select_name_.bind(1, run_no).step();
  if (row && *row) name = {select_name_.text(0), select_name_.text(1)};
  return names_.emplace(run_no, std::move(name)).first->second;
}

Result<void> SqliteWriter::apply(Operation& operation) {
  if (auto* append = std::get_if<AppendOp>(&operation.work)) return apply(*append, operation.refusal);
  if (auto* create = std::get_if<std::unique_ptr<CreateOp>>(&operation.work)) return apply(**create, operation.refusal);
  if (auto* claim = std::get_if<std::unique_ptr<ClaimOp>>(&operation.work)) return apply(**claim, operation.refusal);
  return apply(*std::get<std::unique_ptr<BundleOp>>(operation.work));
}

Result<void> SqliteWriter::apply(AppendOp& op, std::unique_ptr<Error>& refusal) {
  Append& append = op.append;
  Result<Position*> found = position_of(append.run);
  if (!found) return found.error();
  Position* position = *found;
  std::optional<Error> refused = position == nullptr ? no_such_run(append.run) : refuse_append(append, *position);
  if (refused) {
    refusal = std::make_unique<Error>(std::move(*refused));
    return {};
  }
  Result<void> done = insert_records(append.run, append.records, *position);
  if (!done) return done;
  for (const Forgotten& range : append.forgotten) {
    done = forget(append.run, range, *position);
    if (!done) return done;
  }
  if (is_empty(append.patch)) return {};
  RowChange& change = changes_[append.run];
  merge(change.patch, std::move(append.patch));
  change.at_us = std::max(change.at_us, op.at_us);
  return {};
}

Result<void> SqliteWriter::apply(CreateOp& op, std::unique_ptr<Error>& refusal) {
  Result<std::optional<RunRow>> standing = row_of(op.run.row.id);
  if (!standing) return standing.error();
  if (*standing) {
    op.created = {std::move(**standing), true};
    return {};
  }
  if (std::optional<Error> refused = refuse_create(op.run)) {
    refusal = std::make_unique<Error>(std::move(*refused));
    return {};
  }
  return insert_new(op);
}

Result<void> SqliteWriter::insert_new(CreateOp& op) {
  RunRow& row = op.run.row;
  row.epoch = 1;
  row.last_seq = op.run.records.empty() ? 0 : op.run.records.back().seq;
  if (!op.run.records.empty()) row.updated_us = std::max(row.updated_us, op.run.records.back().at_us);
  bind_run(insert_run_, row);
  Result<void> done = insert_run_.run();
  if (!done) return done;
  row.no = db_.last_insert_rowid();
  Position position{row.epoch, 0, journal::chain_origin(row.id)};
  done = insert_records(row.no, op.run.records, position);
  if (!done) return done;
  positions_[row.no] = position;
  op.created = {std::move(row), false};
  return {};
}

Result<void> SqliteWriter::apply(ClaimOp& op, std::unique_ptr<Error>& refusal) {
  Result<std::optional<RunRow>> standing = row_of(op.id);
  if (!standing) return standing.error();
  if (!*standing) {
    refusal = std::make_unique<Error>(no_such_run(op.id));
    return {};
  }
  op.row = std::move(**standing);
  op.row.epoch += 1;
  Result<void> done = update_epoch_.bind(1, op.row.no).bind(2, static_cast<int64_t>(op.row.epoch)).run();
  if (!done) return done;
  positions_.erase(op.row.no);
  return {};
}

Result<void> SqliteWriter::apply(BundleOp& op) {
  return insert_bundle_.bind(1, op.hash).bind_blob(2, op.content).run();
}

Result<void> SqliteWriter::insert_records(int64_t run_no, const std::vector<journal::Record>& records,
                                          Position& position) {
  for (const auto& record : records) {
    journal::Seal seal{journal::seal_of(record, position.seal), std::nullopt};
    if (record.seq != position.last_seq + 1) seal.before = position.seal;   // of a copy: what is between was let go
    bind_record(insert_record_, run_no, record, ++last_position_, seal);
    Result<void> done = insert_record_.run();
    if (!done) return done;
    position.last_seq = record.seq;
    position.seal = *seal.seal;
  }
  return {};
}

Result<void> SqliteWriter::forget(int64_t run_no, const Forgotten& range, const Position& position) {
  for (SqliteStatement* statement : {&keep_seals_, &forget_records_}) {
    statement->bind(1, run_no).bind(2, static_cast<int64_t>(range.first));
    statement->bind(3, static_cast<int64_t>(range.last)).bind(4, static_cast<int64_t>(position.last_seq));
    Result<void> done = statement->run();
    if (!done) return done;
  }
  return {};
}

Result<Position*> SqliteWriter::position_of(int64_t run_no) {
  auto found = positions_.find(run_no);
  if (found != positions_.end()) return &found->second;
  SqliteReset reset(select_position_);
  Result<bool> row = select_position_.bind(1, run_no).step();
  if (!row) return row.error();
  if (!*row) return static_cast<Position*>(nullptr);
  Position position{static_cast<uint64_t>(select_position_.integer(0)),
                    static_cast<uint64_t>(select_position_.integer(1)),
                    select_position_.is_null(3) ? journal::chain_origin(select_position_.text(2))
                                                : static_cast<uint64_t>(select_position_.integer(3))};
  return &positions_.emplace(run_no, position).first->second;
}

Result<std::optional<RunRow>> SqliteWriter::row_of(const std::string& id) {
  // Changes wait for the end of the batch; whoever reads a row must find them in it.
  Result<void> done = write_changes();
  if (!done) return done.error();
  SqliteReset reset(select_run_);
  Result<bool> found = select_run_.bind(1, id).step();
  if (!found) return found.error();
  if (!*found) return std::optional<RunRow>();
  Result<RunRow> row = read_run(select_run_);
  if (!row) return row.error();
  return std::optional<RunRow>(std::move(*row));
}

Result<void> SqliteWriter::write_changes() {
  for (const auto& [run_no, change] : changes_) {
    Result<void> done = write_change(run_no, change);
    if (!done) return done;
    // Nothing is expected to follow the end of a run.
    if (change.patch.status && is_final(*change.patch.status)) positions_.erase(run_no);
  }
  changes_.clear();
  return {};
}

Result<void> SqliteWriter::write_change(int64_t run_no, const RowChange& change) {
  const RunPatch& patch = change.patch;
  update_row_.bind(1, run_no);
  if (patch.status)
    update_row_.bind(2, status_name(*patch.status));
  else
    update_row_.bind_null(2);
  if (patch.wake_us)
    update_row_.bind(3, *patch.wake_us);
  else
    update_row_.bind_null(3);
  bind_or_null(update_row_, 4, patch.output);
  bind_or_null(update_row_, 5, patch.error);
  return update_row_.bind(6, change.at_us).run();
}

}  // namespace perilune::store
