// See sqlite_schema.hpp. The migrations are the files of schema/, built into the program.
// SPDX-License-Identifier: MIT
#include "runtime/store/sqlite_schema.hpp"

#include <sys/stat.h>

#include <iterator>
#include <utility>

// The assembler looks for the file in the include directories, as the compiler does.
asm(R"(
  .pushsection .rodata
  .global perilune_schema_001
perilune_schema_001:
  .incbin "runtime/store/schema/001_initial.sql"
  .byte 0
  .global perilune_schema_002
perilune_schema_002:
  .incbin "runtime/store/schema/002_positions.sql"
  .byte 0
  .global perilune_schema_003
perilune_schema_003:
  .incbin "runtime/store/schema/003_seals.sql"
  .byte 0
  .popsection
)");
extern "C" const char perilune_schema_001[];
extern "C" const char perilune_schema_002[];
extern "C" const char perilune_schema_003[];

namespace perilune::store {
namespace {

// k_migrations[n] brings version n to n + 1.
const char* const k_migrations[] = {perilune_schema_001, perilune_schema_002, perilune_schema_003};
static_assert(std::size(k_migrations) == k_schema_version);

constexpr const char* k_read_version = "pragma user_version";

Error newer(const std::string& path, int64_t version) {
  return Error(code::k_newer_schema, path + " has schema version " + std::to_string(version) +
                                         ", written by a newer Perilune; this one knows versions up to " +
                                         std::to_string(k_schema_version));
}

// The version of the file, 0 when there is nothing in it yet.
Result<int64_t> identify(SqliteConnection& db, const std::string& path) {
  Result<int64_t> version = db.query_integer(k_read_version);
  if (!version) return version;
  Result<int64_t> application = db.query_integer("pragma application_id");
  if (!application) return application;
  // Before anything that a newer version could have made unreadable.
  if (*application == k_application_id && *version > k_schema_version) return newer(path, *version);
  Result<int64_t> objects = db.query_integer("select count(*) from sqlite_schema");
  if (!objects) return objects;
  if (*version == 0 && *application == 0 && *objects == 0) return 0;
  if (*application != k_application_id || *version < 1)
    return Error(code::k_damaged, path + " is a database, but not one of Perilune's");
  return version;
}

// Looks at the bare file. It says "newer" only: after a crash the truth may lie in the log, so every other verdict is
// left to identify().
Result<void> refuse_newer(const std::string& path) {
  Result<SqliteConnection> db = SqliteConnection::open(path, SqliteConnection::Mode::frozen);
  if (!db) return {};
  Result<int64_t> application = db->query_integer("pragma application_id");
  Result<int64_t> version = db->query_integer(k_read_version);
  if (!application || !version || *application != k_application_id || *version <= k_schema_version) return {};
  return newer(path, *version);
}

Result<void> apply_settings(SqliteConnection& db, const std::string& path, bool relaxed) {
  // The page size counts only for a file that is still empty.
  Result<void> done = db.execute("pragma page_size=8192; pragma mmap_size=0; pragma temp_store=memory");
  if (!done) return done;
  Result<std::string> mode = db.query_text("pragma journal_mode=wal");
  if (!mode) return mode.error();
  if (*mode != "wal") return Error(code::k_storage, path + ": a write-ahead log is not possible here (" + *mode + ")");
  done = db.execute(
      "pragma secure_delete=off;"
      "pragma cache_size=-65536;"
      "pragma journal_size_limit=-1;"  // a log that is kept at its size is written over, which costs half of growing it
      "pragma trusted_schema=off");
  if (!done) return done;
  return db.execute(relaxed ? "pragma synchronous=normal" : "pragma synchronous=full");
}

std::string migration(int64_t from, int64_t to) {
  std::string sql = "begin immediate;";
  for (int64_t step = from; step < to; ++step) sql += k_migrations[step];
  sql += "pragma application_id=" + std::to_string(k_application_id) + ";";
  sql += "pragma user_version=" + std::to_string(to) + ";";
  return sql + "commit;";
}

Result<void> migrate(SqliteConnection& db, int64_t version) {
  if (version == k_schema_version) return {};
  Result<void> done = db.execute(migration(version, k_schema_version));
  if (!done && db.in_transaction()) (void)db.execute("rollback");
  return done;
}

bool exists(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0;
}

// SQLite would take a file of one byte for an empty one.
bool is_too_short(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 && info.st_size < 512;
}

Error no_database(const std::string& path) { return Error(code::k_damaged, path + ": file is not a database"); }

// Without a log nothing is missing from the bare file, and it can be read where nothing can be created beside it.
bool has_log(const std::string& path) {
  struct stat info = {};
  return stat((path + "-wal").c_str(), &info) == 0 && info.st_size > 0;
}

Result<SqliteConnection> open_reading(const std::string& path, SqliteConnection::Mode mode) {
  Result<SqliteConnection> db = SqliteConnection::open(path, mode);
  if (!db) return db;
  Result<void> done = db->execute("pragma mmap_size=0; pragma cache_size=-8192; pragma trusted_schema=off");
  if (!done) return done.error();
  Result<int64_t> version = identify(*db, path);
  if (!version) return version.error();
  if (*version == 0) return Error(code::k_not_found, path + " holds no store yet");
  return db;
}

}  // namespace

std::string schema_up_to(int64_t version) { return migration(0, version); }

Result<SqliteConnection> open_database(const std::string& path, bool relaxed) {
  if (is_too_short(path)) return no_database(path);
  if (exists(path)) {
    Result<void> known = refuse_newer(path);
    if (!known) return known.error();
  }
  Result<SqliteConnection> db = SqliteConnection::open(path, SqliteConnection::Mode::read_write);
  if (!db) return db;
  db->set_checkpoint_on_close(false);  // until it is known that the file may be written
  Result<int64_t> version = identify(*db, path);
  if (!version) return version.error();
  if (db->file_is_read_only()) return Error(code::k_storage, path + " is read-only");
  Result<void> done = apply_settings(*db, path, relaxed);
  if (done) done = migrate(*db, *version);
  if (!done) return done.error();
  db->set_checkpoint_on_close(true);
  return db;
}

Result<SqliteConnection> open_database_for_reading(const std::string& path) {
  if (!exists(path)) return Error(code::k_not_found, "there is no store at " + path);
  if (is_too_short(path)) return no_database(path);
  Result<SqliteConnection> db = open_reading(path, SqliteConnection::Mode::read_only);
  if (db || db.error().code != code::k_storage || has_log(path)) return db;
  Result<SqliteConnection> frozen = open_reading(path, SqliteConnection::Mode::frozen);
  // Whoever made the file was killed before there was anything in it; the next writer makes it anew.
  bool empty = !frozen && frozen.error().code == code::k_not_found;
  return frozen || empty ? std::move(frozen) : std::move(db);
}

}  // namespace perilune::store
