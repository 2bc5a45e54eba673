// What only the SQLite store promises: ownership of the file, files that it must not touch, readers beside it.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "runtime/store/sqlite_connection.hpp"
#include "runtime/store/sqlite_schema.hpp"
#include "tests/unit/store/store_fixture.hpp"

using namespace perilune;
using namespace perilune::store;
using namespace perilune::store::test;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

SqliteConnection connect(const std::string& path) {
  Result<SqliteConnection> db = SqliteConnection::open(path, SqliteConnection::Mode::read_write);
  REQUIRE(db.ok());
  return std::move(*db);
}

std::string code_of(const Result<std::unique_ptr<Store>>& result) { return result.ok() ? "ok" : result.error().code; }

// A store with one run and nothing beside its file.
void make_store(const SqlitePlace& place) {
  PumpedLoop loop;
  auto store = open_sqlite({place.path()});
  REQUIRE(store.ok());
  REQUIRE(Calls(**store, loop).create(new_run("run-1")).ok());
  (*store)->close();
}

}  // namespace

TEST_CASE("a second owner of a store is told the pid of the first and changes nothing", "[store]") {
  SqlitePlace place;
  auto first = place.open();
  std::string before = content_of(place.path() + ".lock");
  Result<std::unique_ptr<Store>> second = open_sqlite({place.path()});
  REQUIRE(code_of(second) == code::k_owned);
  CHECK(second.error().message.find(std::to_string(getpid())) != std::string::npos);
  CHECK(content_of(place.path() + ".lock") == before);
  CHECK(sqlite_owner_pid(place.path()) == getpid());
  first->close();
  CHECK(sqlite_owner_pid(place.path()) == 0);
  CHECK(code_of(open_sqlite({place.path()})) == "ok");
}

TEST_CASE("a link to a store leads to the same owner", "[store]") {
  SqlitePlace place;
  auto first = place.open();
  std::string link = place.directory().file("link.db");
  std::filesystem::create_symlink(place.path(), link);
  CHECK(code_of(open_sqlite({link})) == code::k_owned);
  CHECK(sqlite_owner_pid(link) == getpid());
}

TEST_CASE("a store whose owner was killed is free, and what was committed is there", "[store]") {
  SqlitePlace place;
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  pid_t child = fork();
  if (child == 0) {
    PumpedLoop loop;
    auto store = open_sqlite({place.path()});
    bool ok = store.ok() && Calls(**store, loop).create(new_run("run-1")).ok();
    if (write(ready[1], ok ? "y" : "n", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char answer = 0;
  REQUIRE(read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK(sqlite_owner_pid(place.path()) == child);
  Result<std::unique_ptr<Store>> refused = open_sqlite({place.path()});
  CHECK(code_of(refused) == code::k_owned);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  CHECK(sqlite_owner_pid(place.path()) == 0);
  auto store = place.open();
  CHECK(store->reader()->run("run-1").value().has_value());
}

TEST_CASE("a store of a newer schema is refused and left byte for byte", "[store]") {
  SqlitePlace place;
  make_store(place);
  REQUIRE(connect(place.path()).execute("pragma user_version=" + std::to_string(k_schema_version + 1)).ok());
  std::string before = content_of(place.path());
  Result<std::unique_ptr<Store>> refused = open_sqlite({place.path()});
  REQUIRE(code_of(refused) == code::k_newer_schema);
  CHECK(content_of(place.path()) == before);
  CHECK_FALSE(std::filesystem::exists(place.path() + "-wal"));
  CHECK(open_sqlite_reader(place.path()).error().code == code::k_newer_schema);
  CHECK(content_of(place.path()) == before);
}

TEST_CASE("a newer schema that stands only in the log is refused, and file and log are left", "[store]") {
  SqlitePlace place;
  make_store(place);
  std::string log_path = place.path() + "-wal";
  {
    SqliteConnection newer = connect(place.path());
    newer.set_checkpoint_on_close(false);
    REQUIRE(newer.execute("pragma user_version=" + std::to_string(k_schema_version + 1)).ok());
  }
  std::string before = content_of(place.path());
  std::string log_before = content_of(log_path);
  REQUIRE_FALSE(log_before.empty());
  CHECK(code_of(open_sqlite({place.path()})) == code::k_newer_schema);
  CHECK(content_of(place.path()) == before);
  CHECK(content_of(log_path) == log_before);
}

TEST_CASE("a file that is no database is damaged and left as it is", "[store]") {
  for (size_t length : {1u, 100u, 5000u, 100'000u}) {
    TemporaryDirectory directory;
    std::string path = directory.file("garbage.db");
    std::string garbage;
    for (size_t i = 0; i < length; ++i) garbage += static_cast<char>(i * 31 + 7);
    write_file(path, garbage);
    CHECK(code_of(open_sqlite({path})) == code::k_damaged);
    CHECK(open_sqlite_reader(path).error().code == code::k_damaged);
    CHECK(content_of(path) == garbage);
  }
}

TEST_CASE("a store that was cut short is damaged", "[store]") {
  SqlitePlace place;
  make_store(place);
  std::filesystem::resize_file(place.path(), std::filesystem::file_size(place.path()) - 8192);
  CHECK(code_of(open_sqlite({place.path()})) == code::k_damaged);
}

TEST_CASE("a database of another program is refused and left as it is", "[store]") {
  TemporaryDirectory directory;
  std::string path = directory.file("other.db");
  REQUIRE(connect(path).execute("create table guests (name text); insert into guests values ('Ada')").ok());
  std::string before = content_of(path);
  CHECK(code_of(open_sqlite({path})) == code::k_damaged);
  CHECK(open_sqlite_reader(path).error().code == code::k_damaged);
  CHECK(content_of(path) == before);
}

TEST_CASE("an empty file and a creation that was cut become stores", "[store]") {
  TemporaryDirectory directory;
  write_file(directory.file("empty.db"), "");
  CHECK(code_of(open_sqlite({directory.file("empty.db")})) == "ok");
  REQUIRE(connect(directory.file("cut.db")).execute("pragma page_size=8192; pragma journal_mode=wal").ok());
  CHECK(open_sqlite_reader(directory.file("cut.db")).error().code == code::k_not_found);
  CHECK(code_of(open_sqlite({directory.file("cut.db")})) == "ok");
}

TEST_CASE("a store that cannot be made is a storage error that names the path", "[store]") {
  TemporaryDirectory directory;
  std::string path = directory.file("no/such/place.db");
  Result<std::unique_ptr<Store>> refused = open_sqlite({path});
  REQUIRE(code_of(refused) == code::k_storage);
  CHECK(refused.error().message.find(path) != std::string::npos);
  CHECK(code_of(open_sqlite({""})) == code::k_usage);
}

TEST_CASE("the file has the settings that its speed and safety rest on", "[store]") {
  SqlitePlace place;
  make_store(place);
  SqliteConnection db = connect(place.path());
  CHECK(db.query_integer("pragma page_size").value() == 8192);
  CHECK(db.query_text("pragma journal_mode").value() == "wal");
  CHECK(db.query_integer("pragma application_id").value() == k_application_id);
  CHECK(db.query_integer("pragma user_version").value() == k_schema_version);
  CHECK(db.query_text("pragma integrity_check").value() == "ok");
  Result<SqliteConnection> full = open_database(place.path(), false);
  CHECK(full->query_integer("pragma synchronous").value() == 2);
  CHECK(full->query_integer("pragma secure_delete").value() == 0);
  Result<SqliteConnection> relaxed = open_database(place.path(), true);
  CHECK(relaxed->query_integer("pragma synchronous").value() == 1);
}

TEST_CASE("unfinished runs are found by an index of their own, all others by time", "[store]") {
  SqlitePlace place;
  make_store(place);
  SqliteConnection db = connect(place.path());
  auto plan = [&](const std::string& condition) {
    Result<SqliteStatement> explained = db.prepare("explain query plan select no from runs where created_us >= 0" +
                                                   condition + " order by created_us desc");
    REQUIRE(explained.ok());
    REQUIRE(explained->step().value());
    return explained->text(3);
  };
  std::string unfinished = " and status in ('running') and status not in ('completed', 'failed', 'cancelled')";
  CHECK(plan(unfinished).find("runs_unfinished") != std::string::npos);
  CHECK(plan(" and status in ('failed')").find("runs_by_creation") != std::string::npos);
}

TEST_CASE("a reader opens a store without an owner, beside one, and one whose owner died in mid-log", "[store]") {
  SqlitePlace place;
  CHECK(open_sqlite_reader(place.path()).error().code == code::k_not_found);
  CHECK_FALSE(std::filesystem::exists(place.path()));
  make_store(place);
  {
    auto reader = open_sqlite_reader(place.path());
    REQUIRE(reader.ok());
    CHECK((*reader)->run("run-1").value()->workflow == "order");
  }
  PumpedLoop loop;
  auto store = place.open();
  auto reader = open_sqlite_reader(place.path());
  REQUIRE(reader.ok());
  REQUIRE(Calls(*store, loop).create(new_run("run-2")).ok());
  CHECK((*reader)->run("run-2").value().has_value());

  // The file and its log as a power cut would leave them.
  TemporaryDirectory elsewhere;
  std::string copy = elsewhere.file("copy.db");
  std::filesystem::copy_file(place.path(), copy);
  std::filesystem::copy_file(place.path() + "-wal", copy + "-wal");
  std::string before = content_of(copy);
  auto survivor = open_sqlite_reader(copy);
  REQUIRE(survivor.ok());
  CHECK((*survivor)->run("run-2").value().has_value());
  survivor->reset();
  CHECK(content_of(copy) == before);
}

TEST_CASE("a reader that stays open keeps reading over the close of the owner and the next one", "[store]") {
  SqlitePlace place;
  make_store(place);
  PumpedLoop loop;
  auto store = place.open();
  auto reader = store->reader();
  REQUIRE(Calls(*store, loop).create(new_run("run-2")).ok());
  CHECK(reader->run("run-2").value().has_value());
  store->close();
  CHECK(reader->run("run-2").value().has_value());
  store = place.open();
  REQUIRE(Calls(*store, loop).create(new_run("run-3")).ok());
  CHECK(reader->run("run-3").value().has_value());
}

TEST_CASE("a reader of a store that is gone answers with the error", "[store]") {
  SqlitePlace place;
  auto store = place.open();
  store->close();
  std::filesystem::remove(place.path());
  auto reader = store->reader();
  REQUIRE(reader != nullptr);
  CHECK(reader->run("run-1").error().code == code::k_not_found);
  CHECK(reader->list({}).error().code == code::k_not_found);
}
