// See verify.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/verify.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "runtime/base/ids.hpp"
#include "runtime/store/sqlite_schema.hpp"
#include "runtime/store/sqlite_store.hpp"
#include "runtime/store/store.hpp"

namespace perilune::store {

namespace {

constexpr int k_file_damages_max = 20;

Result<void> look_at_file(SqliteConnection& db, Verdict& verdict) {
  Result<SqliteStatement> check = db.prepare("pragma integrity_check(" + std::to_string(k_file_damages_max) + ")");
  if (!check) return check.error();
  for (;;) {
    Result<bool> row = check->step();
    if (!row) {   // too broken to be looked at further
      if (row.error().code != code::k_damaged) return row.error();
      verdict.damages.push_back({"", 0, row.error().message});
      return {};
    }
    if (!*row) return {};
    if (std::string text = check->text(0); text != "ok") verdict.damages.push_back({"", 0, "the file: " + text});
  }
}

bool has_end(const std::vector<journal::Record>& records) {
  return std::any_of(records.rbegin(), records.rend(),
                     [](const journal::Record& record) { return record.kind == journal::Kind::run_done; });
}

Result<void> look_at_run(StoreReader& reader, const RunRow& row, Verdict& verdict) {
  Result<Journal> journal = reader.journal(row);
  if (!journal && journal.error().code != code::k_damaged) return journal.error();
  ++verdict.runs;
  if (!journal) {
    verdict.damages.push_back({row.id, 0, journal.error().message});
    return {};
  }
  verdict.records += static_cast<int64_t>(journal->records.size());
  if (journal->flaw) {
    verdict.damages.push_back({row.id, journal->flaw->seq, journal->flaw->what});
  } else if (is_final(row.status) && !has_end(journal->records)) {
    verdict.damages.push_back(
        {row.id, row.last_seq, "it is " + std::string(status_name(row.status)) + ", and its journal has no end"});
  }
  return {};
}

Result<void> look_at_code(SqliteConnection& db, Verdict& verdict) {
  Result<SqliteStatement> select = db.prepare("select hash, content from bundles");
  if (!select) return select.error();
  for (;;) {
    Result<bool> row = select->step();
    if (!row && row.error().code != code::k_damaged) return row.error();
    if (!row) {
      verdict.damages.push_back({"", 0, "the code of runs: " + row.error().message});
      return {};
    }
    if (!*row) return {};
    ++verdict.bundles;
    if (sha256_hex(select->text(1)) != select->text(0))
      verdict.damages.push_back({"", 0, "the code " + select->text(0) + " is not as it was written"});
  }
}

Error trouble(const std::string& path, const char* what) {
  return Error(code::k_storage, path + ": " + what + ": " + std::strerror(errno));
}

Result<void> sync_path(const std::string& path, int flags) {
  int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return trouble(path, "it can't be opened");
  bool synced = fsync(fd) == 0;
  Result<void> done = synced ? Result<void>() : trouble(path, "it can't be synced to disk");
  close(fd);
  return done;
}

}  // namespace

Result<Verdict> verify_sqlite(const std::string& path) {
  Result<SqliteConnection> db = open_database_for_reading(path);
  if (!db) return db.error();
  Verdict verdict;
  if (Result<void> done = look_at_file(*db, verdict); !done) return done.error();
  Result<std::unique_ptr<StoreReader>> reader = open_sqlite_reader(path);
  if (!reader) return reader.error();
  Result<std::vector<RunRow>> rows = (*reader)->list({});
  if (!rows && rows.error().code != code::k_damaged) return rows.error();
  if (!rows) {
    verdict.damages.push_back({"", 0, "the list of runs: " + rows.error().message});
    return verdict;
  }
  for (auto row = rows->rbegin(); row != rows->rend(); ++row)   // the oldest first
    if (Result<void> done = look_at_run(**reader, *row, verdict); !done) return done.error();
  if (Result<void> done = look_at_code(*db, verdict); !done) return done.error();
  Result<int64_t> unsealed = db->query_integer("select count(*) from records where seal is null");
  verdict.unsealed = unsealed ? *unsealed : verdict.records;   // of a schema without seals
  return verdict;
}

Result<void> backup_sqlite(const std::string& path, const std::string& to) {
  std::error_code failed;
  if (std::filesystem::exists(to, failed)) return Error(code::k_usage, to + " is there already: name a new file");
  Result<SqliteConnection> db = open_database_for_reading(path);
  if (!db) return db.error();
  std::string part = to + ".part";
  std::filesystem::remove(part, failed);   // of a backup that was cut off
  Result<void> done = db->copy_to(part);
  if (done) done = sync_path(part, O_RDONLY);
  if (done && std::rename(part.c_str(), to.c_str()) != 0) done = trouble(to, "it can't be put there");
  std::string directory = std::filesystem::absolute(to, failed).parent_path().string();
  if (done) done = sync_path(directory, O_RDONLY | O_DIRECTORY);
  if (!done) std::filesystem::remove(part, failed);
  return done;
}

}  // namespace perilune::store
