// See bare_database.hpp.
// SPDX-License-Identifier: MIT
#include "tests/bench/bare_database.hpp"

#include <sqlite3.h>

#include "runtime/store/sqlite_store.hpp"
#include "tests/bench/measuring.hpp"

namespace perilune::bench {
namespace {

constexpr int64_t k_some_time_us = 1'700'000'000'000'000;

void bind_text(sqlite3_stmt* statement, int parameter, std::string_view text) {
  sqlite3_bind_text(statement, parameter, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

}  // namespace

std::string step_data(int64_t i) {
  return "{\"started\":1700000000000000,\"attempt\":1,\"value\":{\"i\":" + std::to_string(i) + ",\"ok\":true}}";
}

BareDatabase::BareDatabase(const std::string& path, int checkpoint_pages) {
  {
    auto store = store::open_sqlite({path, false});  // the store itself lays out the file
    if (!store.ok()) fail(store.error().message);
    (*store)->close();
  }
  if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK)
    fail("SQLite could not open " + path);
  execute("pragma synchronous=full; pragma cache_size=-65536; pragma secure_delete=off; pragma temp_store=memory");
  execute(("pragma wal_autocheckpoint=" + std::to_string(checkpoint_pages)).c_str());
  begin_ = prepare("begin immediate");
  commit_ = prepare("commit");
  insert_run_ = prepare(
      "insert into runs (no, id, status, workflow, version, bundle, session, parent, epoch, created_us, updated_us,"
      " wake_us, input, output, error) values (?1, ?2, 'running', 'bench', 1,"
      " 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '', '', 1, ?3, ?3, 0, '{\"n\":10}', '', "
      "'')");
  end_run_ = prepare("update runs set status = 'completed', output = '1', updated_us = ?2 where no = ?1");
  insert_record_ = prepare(
      "insert into records (run, seq, generation, kind, op, task, name, fingerprint, at_us, data)"
      " values (?1, ?2, 0, ?3, ?2, '0', 'step', 0, ?4, ?5)");
  select_ = prepare(
      "select seq, generation, kind, op, task, name, fingerprint, at_us, data from records where run = ?1 order by "
      "seq");
}

BareDatabase::~BareDatabase() {
  for (sqlite3_stmt* statement : {begin_, commit_, insert_run_, end_run_, insert_record_, select_})
    sqlite3_finalize(statement);
  sqlite3_close(db_);
}

sqlite3_stmt* BareDatabase::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
    fail(std::string("SQLite: ") + sqlite3_errmsg(db_));
  return statement;
}

void BareDatabase::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(std::string("SQLite: ") + sqlite3_errmsg(db_));
}

void BareDatabase::run_statement(sqlite3_stmt* statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) fail(std::string("SQLite: ") + sqlite3_errmsg(db_));
  sqlite3_reset(statement);
}

void BareDatabase::begin() { run_statement(begin_); }
void BareDatabase::commit() { run_statement(commit_); }

void BareDatabase::insert_run(int64_t run) {
  char id[64];
  int length = snprintf(id, sizeof id, "018bcfe5-6800-7000-8000-%012llx", static_cast<unsigned long long>(run));
  sqlite3_bind_int64(insert_run_, 1, run);
  bind_text(insert_run_, 2, {id, static_cast<size_t>(length)});
  sqlite3_bind_int64(insert_run_, 3, k_some_time_us);
  run_statement(insert_run_);
}

void BareDatabase::end_run(int64_t run) {
  sqlite3_bind_int64(end_run_, 1, run);
  sqlite3_bind_int64(end_run_, 2, k_some_time_us);
  run_statement(end_run_);
}

void BareDatabase::insert_record(int64_t run, int64_t seq, int kind, std::string_view data) {
  sqlite3_bind_int64(insert_record_, 1, run);
  sqlite3_bind_int64(insert_record_, 2, seq);
  sqlite3_bind_int(insert_record_, 3, kind);
  sqlite3_bind_int64(insert_record_, 4, k_some_time_us);
  bind_text(insert_record_, 5, data);
  run_statement(insert_record_);
}

size_t BareDatabase::read_run(int64_t run) {
  sqlite3_bind_int64(select_, 1, run);
  size_t bytes = 0;
  while (sqlite3_step(select_) == SQLITE_ROW) {
    for (int column : {4, 5, 8}) {
      std::string text(static_cast<const char*>(sqlite3_column_blob(select_, column)),
                       static_cast<size_t>(sqlite3_column_bytes(select_, column)));
      bytes += text.size();
    }
  }
  sqlite3_reset(select_);
  return bytes;
}

}  // namespace perilune::bench
