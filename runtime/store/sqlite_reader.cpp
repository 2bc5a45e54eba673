// See sqlite_reader.hpp. Each call is a read transaction of its own, so that no reader keeps the log from being used
// again for longer than a call.
// SPDX-License-Identifier: MIT
#include "runtime/store/sqlite_reader.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/store/rules.hpp"
#include "runtime/store/sqlite_rows.hpp"

namespace perilune::store {
namespace {

int64_t sql_limit(int64_t limit) { return limit > 0 ? limit : -1; }

// All rows of a statement whose parameters are bound.
template <class T>
Result<std::vector<T>> rows_of(SqliteStatement& statement, Result<T> (*read)(const SqliteStatement&)) {
  SqliteReset reset(statement);
  std::vector<T> rows;
  for (;;) {
    Result<bool> more = statement.step();
    if (!more) return more.error();
    if (!*more) return rows;
    Result<T> row = read(statement);
    if (!row) return row.error();
    rows.push_back(std::move(*row));
  }
}

// The where clause of a filter, with ? for each of its values.
std::string condition(const Filter& filter) {
  std::string text = "where created_us >= ?";
  bool unfinished = !filter.statuses.empty();
  if (!filter.statuses.empty()) {
    text += " and status in (";
    for (size_t i = 0; i < filter.statuses.size(); ++i) {
      text += i == 0 ? "?" : ", ?";
      unfinished = unfinished && !is_final(filter.statuses[i]);
    }
    text += ")";
  }
  // In the words of the partial index, or SQLite would not see that it holds all that is asked for.
  if (unfinished) text += " and status not in ('completed', 'failed', 'cancelled')";
  if (!filter.workflow.empty()) text += " and workflow = ?";
  if (!filter.session.empty()) text += " and session = ?";
  return text;
}

class SqliteReader final : public StoreReader {
 public:
  SqliteReader(SqliteConnection db, bool sealed) : db_(std::move(db)), sealed_(sealed) {}

  Result<std::optional<RunRow>> run(const std::string& id) override {
    Result<SqliteStatement*> select = prepared(run_, std::string(k_select_run) + "where id = ?1");
    if (!select) return select.error();
    (*select)->bind(1, id);
    Result<std::vector<RunRow>> rows = rows_of(**select, read_run);
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<RunRow>();
    return std::optional<RunRow>(std::move(rows->front()));
  }

  Result<std::vector<RunRow>> runs_by_prefix(const std::string& prefix, int64_t limit) override {
    Result<SqliteStatement*> select =
        prepared(prefix_, std::string(k_select_run) + "where id >= ?1 and id < ?2 order by id limit ?3");
    if (!select) return select.error();
    std::string beyond = prefix + "\xF4\x8F\xBF\xBF";  // the last character there is
    (*select)->bind(1, prefix).bind(2, beyond).bind(3, sql_limit(limit));
    return rows_of(**select, read_run);
  }

  Result<std::vector<RunRow>> list(const Filter& filter) override {
    Result<SqliteStatement> select =
        db_.prepare(k_select_run + condition(filter) + " order by created_us desc, no desc limit ?");
    if (!select) return select.error();
    int parameter = 0;
    select->bind(++parameter, filter.since_us);
    for (Status status : filter.statuses) select->bind(++parameter, status_name(status));
    if (!filter.workflow.empty()) select->bind(++parameter, filter.workflow);
    if (!filter.session.empty()) select->bind(++parameter, filter.session);
    select->bind(++parameter, sql_limit(filter.limit));
    return rows_of(*select, read_run);
  }

  Result<std::vector<journal::Record>> records(int64_t run_no, uint64_t from_seq, int64_t limit) override {
    Result<SqliteStatement*> select = prepared(records_, k_select_records);
    if (!select) return select.error();
    (*select)->bind(1, run_no).bind(2, static_cast<int64_t>(from_seq)).bind(3, sql_limit(limit));
    return rows_of(**select, read_record);
  }

  Result<Journal> journal(const RunRow& row) override {
    if (!sealed_) return unsealed_journal(row);
    Result<SqliteStatement*> select = prepared(journal_, k_select_sealed_records);
    if (!select) return select.error();
    SqliteReset reset(**select);
    (*select)->bind(1, row.no);
    Journal journal;
    std::vector<journal::Seal> seals;
    for (;;) {
      Result<bool> more = (*select)->step();
      if (!more) return more.error();
      if (!*more) break;
      Result<journal::Record> record = read_record(**select);
      if (!record) {
        journal.flaw = journal::Flaw{static_cast<uint64_t>((*select)->integer(0)), record.error().message};
        return journal;
      }
      journal.records.push_back(std::move(*record));
      seals.push_back(read_seal(**select));
    }
    judge(row, journal, seals);
    return journal;
  }

  Result<std::vector<RunRecord>> records_of_kinds(const std::vector<journal::Kind>& kinds, int64_t since_us) override {
    std::string sql = std::string(k_select_records_of_all) + "where records.at_us >= ? and records.kind in (";
    for (size_t i = 0; i < kinds.size(); ++i) sql += i == 0 ? "?" : ", ?";
    Result<SqliteStatement> select = db_.prepare(sql + ") order by records.at_us desc, records.rowid desc");
    if (!select) return select.error();
    int parameter = 0;
    select->bind(++parameter, since_us);
    for (journal::Kind kind : kinds) select->bind(++parameter, static_cast<int64_t>(kind));
    return rows_of(*select, read_run_record);
  }

  Result<journal::RecordPage> records_after(const journal::RecordQuery& query) override {
    if (!query.filter.run.empty()) return records_of_run_after(query);
    Result<SqliteStatement*> select = prepared(
        after_, k_select_records_of_all + std::string("where records.rowid > ?1 order by records.rowid limit ?2"));
    if (!select) return select.error();
    (*select)->bind(1, query.after).bind(2, page_limit(query));
    return page_of(**select, query);
  }

  Result<int64_t> last_position() override { return db_.query_integer("select coalesce(max(rowid), 0) from records"); }

  Result<std::optional<std::string>> bundle(const std::string& hash) override {
    Result<SqliteStatement*> select = prepared(bundle_, "select content from bundles where hash = ?1");
    if (!select) return select.error();
    SqliteReset reset(**select);
    Result<bool> found = (*select)->bind(1, hash).step();
    if (!found) return found.error();
    if (!*found) return std::optional<std::string>();
    return std::optional<std::string>((*select)->text(0));
  }

 private:
  static void judge(const RunRow& row, Journal& journal, const std::vector<journal::Seal>& seals) {
    journal.flaw = journal::first_flaw(row.id, journal.records, seals);
    if (!journal.flaw) journal.flaw = flaw_of_end(row, journal.records);
  }

  // Of a schema before there were seals.
  Result<Journal> unsealed_journal(const RunRow& row) {
    Result<std::vector<journal::Record>> found = records(row.no, 1, 0);
    if (!found) return found.error();
    Journal journal{std::move(*found), std::nullopt};
    judge(row, journal, std::vector<journal::Seal>(journal.records.size()));
    return journal;
  }

  static int64_t page_limit(const journal::RecordQuery& query) { return std::max<int64_t>(query.limit, 1); }

  // By the index of the run's own records, whose order is that of their commits.
  Result<journal::RecordPage> records_of_run_after(const journal::RecordQuery& query) {
    Result<SqliteStatement*> select = prepared(
        after_of_run_, k_select_records_of_all +
                           std::string("where records.run = (select no from runs where id = ?1) and records.seq > coalesce("
                                       "(select seq from records where run = (select no from runs where id = ?1)"
                                       " and rowid <= ?2 order by seq desc limit 1), 0) order by records.seq limit ?3"));
    if (!select) return select.error();
    (*select)->bind(1, query.filter.run).bind(2, query.after).bind(3, page_limit(query));
    return page_of(**select, query);
  }

  static Result<journal::RecordPage> page_of(SqliteStatement& select, const journal::RecordQuery& query) {
    SqliteReset reset(select);
    journal::RecordPage page;
    page.reached = query.after;
    int64_t bytes = 0;
    for (int64_t seen = 1; !page.more; ++seen) {
      Result<bool> row = select.step();
      if (!row) return row.error();
      if (!*row) return page;
      page.reached = position_of(select);
      page.more = seen == page_limit(query);
      if (!passes(select, query.filter)) continue;
      Result<RunRecord> record = read_run_record(select);
      if (!record) return record.error();
      bytes += static_cast<int64_t>(record->record.data.size());
      page.more = page.more || bytes > query.bytes;
      page.records.push_back(std::move(*record));
    }
    return page;
  }

  // A statement that is prepared at its first use.
  Result<SqliteStatement*> prepared(std::optional<SqliteStatement>& statement, const std::string& sql) {
    if (!statement) {
      Result<SqliteStatement> made = db_.prepare(sql);
      if (!made) return made.error();
      statement = std::move(*made);
    }
    return &*statement;
  }

  SqliteConnection db_;
  bool sealed_;
  std::optional<SqliteStatement> journal_, run_, prefix_, records_, after_, after_of_run_, bundle_;
};

class FailedReader final : public StoreReader {
 public:
  explicit FailedReader(Error why) : why_(std::move(why)) {}
  Result<std::optional<RunRow>> run(const std::string&) override { return why_; }
  Result<std::vector<RunRow>> runs_by_prefix(const std::string&, int64_t) override { return why_; }
  Result<std::vector<RunRow>> list(const Filter&) override { return why_; }
  Result<std::vector<journal::Record>> records(int64_t, uint64_t, int64_t) override { return why_; }
  Result<Journal> journal(const RunRow&) override { return why_; }
  Result<std::vector<RunRecord>> records_of_kinds(const std::vector<journal::Kind>&, int64_t) override { return why_; }
  Result<journal::RecordPage> records_after(const journal::RecordQuery&) override { return why_; }
  Result<int64_t> last_position() override { return why_; }
  Result<std::optional<std::string>> bundle(const std::string&) override { return why_; }

 private:
  Error why_;
};

}  // namespace

std::unique_ptr<StoreReader> make_sqlite_reader(SqliteConnection db) {
  constexpr int64_t k_sealed_since = 3;
  Result<int64_t> version = db.query_integer("pragma user_version");
  if (!version) return make_failed_reader(version.error());
  return std::make_unique<SqliteReader>(std::move(db), *version >= k_sealed_since);
}

std::unique_ptr<StoreReader> make_failed_reader(Error why) { return std::make_unique<FailedReader>(std::move(why)); }

}  // namespace perilune::store
