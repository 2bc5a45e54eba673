// Stores of older schemas: opened, brought up, read and written as if they had always been of this one; and a crash, or a
// power loss, at each call of the disk that bringing them up makes. SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "runtime/store/verify.hpp"
#include "tests/disk/disk_fixture.hpp"
#include "tests/disk/inline_store.hpp"
#include "tests/disk/workload.hpp"

using namespace perilune;
using namespace perilune::disk;

namespace {

constexpr int64_t k_records = 40;

// A store as the program of that version left it: its schema, from the files that it had, and rows of its columns.
void leave_behind(const std::string& path, int64_t version) {
  auto db = store::SqliteConnection::open(path, store::SqliteConnection::Mode::read_write);
  REQUIRE(db.ok());
  REQUIRE(db->execute("pragma page_size=8192; pragma journal_mode=wal").ok());
  REQUIRE(db->execute(store::schema_up_to(version)).ok());
  std::string sql = "begin;";
  for (std::string run : {"1", "2"}) {
    sql += "insert into runs values (" + run + ", 'run-" + run + "', 'waiting', 'order', 1, 'b', '', '', 1, 5, 5, 0, '{}', '', '');";
    for (int64_t seq = 1; seq <= k_records; ++seq) {
      std::string number = std::to_string(seq);
      sql += "insert into records (run, seq, generation, kind, op, task, name, fingerprint, at_us, data) values (" + run + "," +
             number + ", 0, 11, " + number + ", '0', 'step', 7, " + number + ", '{\"value\":" + number + "}');";
    }
  }
  REQUIRE(db->execute(sql + "commit;").ok());
}

// The journals alone: a position says nothing of what happened.
std::string said(const std::string& path) {
  Result<std::unique_ptr<store::StoreReader>> reader = store::open_sqlite_reader(path);
  return reader.ok() ? contents(**reader) : one_line(reader.error());
}

store::Append next_records(uint64_t last) {
  store::Append append;
  append.run = 1;
  append.epoch = 1;
  for (uint64_t seq = last + 1; seq <= last + 3; ++seq) append.records.push_back(store::test::record(seq));
  return append;
}

}  // namespace

TEST_CASE("a store of each older schema is read as it is, brought up when it is written, and goes on", "[disk][schema]") {
  for (int64_t version = 1; version < store::k_schema_version; ++version) {
    INFO("schema " << version);
    Standing standing;
    Disk disk(1);
    leave_behind(standing.path(), version);
    std::string before = said(standing.path());
    CHECK(before.find("FLAW") == std::string::npos);
    CHECK(store::verify_sqlite(standing.path())->unsealed == 2 * k_records);
    loop::SimLoop loop;
    auto store = InlineStore::open(disk, standing.path(), loop);
    REQUIRE(store.ok());
    CHECK(said(standing.path()) == before);
    std::optional<bool> good;
    (*store)->append(next_records(k_records), loop, [&](Result<void> result) { good = result.ok(); });
    (*store)->flush();
    loop.run();
    CHECK(good == true);
    (*store)->close();
    Result<store::Verdict> verdict = store::verify_sqlite(standing.path());
    REQUIRE(verdict.ok());
    CHECK(verdict->damages.empty());
    CHECK(verdict->records == 2 * k_records + 3);
    CHECK(verdict->unsealed == 2 * k_records);
    auto db = store::SqliteConnection::open(standing.path(), store::SqliteConnection::Mode::read_write);
    REQUIRE(db->execute("update records set data = '{}' where run = 1 and seq = 42").ok());   // the new ones are sealed
    CHECK(store::verify_sqlite(standing.path())->damages.size() == 1);
  }
}

TEST_CASE("a crash or a power loss at any call of bringing a store up leaves the old store or the new one", "[disk][schema]") {
  uint64_t every = setting("PERILUNE_DISK_POINTS", 11), seed = setting("PERILUNE_SEED", 1);
  for (int64_t version = 1; version < store::k_schema_version; ++version) {
    for (Verdict verdict : {Verdict::off_before, Verdict::off_torn, Verdict::off_after}) {
      bool over = false;
      for (uint64_t at = 1 + seed % every; !over; at += every) {
        INFO("schema " << version << ", change " << at << ", verdict " << static_cast<int>(verdict) << ", PERILUNE_SEED=" << seed);
        Standing standing;
        Disk disk(seed);
        Random random(seed + at);
        leave_behind(standing.path(), version);
        std::string before = said(standing.path());
        disk.killed();
        uint64_t changed = 0;
        disk.judge = [&](const Event& event) {
          return changes(event.call) && ++changed == at ? verdict : Verdict::pass;
        };
        {
          loop::SimLoop loop;
          auto store = InlineStore::open(disk, standing.path(), loop);
        }
        over = !disk.off();
        disk.judge = {};
        if (at % 2 == 0) disk.power_loss(random);
        else disk.killed();
        CHECK(integrity(standing.path()).empty());
        CHECK(said(standing.path()) == before);
        loop::SimLoop loop;
        auto store = InlineStore::open(disk, standing.path(), loop);
        REQUIRE(store.ok());
        CHECK(said(standing.path()) == before);
        (*store)->close();
      }
    }
  }
}
