// The order of all commits, in every store: positions that rise and are never used twice, and reading from one on.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <set>

#include "runtime/store/sqlite_schema.hpp"
#include "tests/unit/store/store_fixture.hpp"

using namespace perilune;
using namespace perilune::store;
using namespace perilune::store::test;
using journal::Kind;
using journal::RecordPage;
using journal::RecordQuery;

namespace {

// "a1 b1 a2": whose records they are, and which.
std::string told(const std::vector<RunRecord>& records) {
  std::string text;
  for (const RunRecord& one : records) text += (text.empty() ? "" : " ") + one.run + std::to_string(one.record.seq);
  return text;
}

RecordPage read(Store& store, int64_t after, int64_t limit = 1000, journal::RecordFilter filter = {}) {
  Result<RecordPage> page = store.reader()->records_after({after, std::move(filter), limit});
  REQUIRE(page.ok());
  return std::move(*page);
}

// Three runs whose records interleave: a1 b1 a2 a3 b2 c1 a4.
template <class Place>
void interleave(Bench<Place>& bench) {
  RunRow a = bench.create("a"), b = bench.create("b");
  REQUIRE(bench.calls().append(append_to(a, {record(2), record(3, Kind::checkpoint)})).ok());
  REQUIRE(bench.calls().append(append_to(b, {record(2, Kind::checkpoint)})).ok());
  NewRun mail = new_run("c");
  mail.row.workflow = "mail";
  REQUIRE(bench.calls().create(mail).ok());
  REQUIRE(bench.calls().append(append_to(a, {record(4)})).ok());
}

}  // namespace

STORE_CASE("records of all runs are read in the order of their commits, page by page") {
  Bench<TestType> bench;
  CHECK(bench.store->reader()->last_position().value() == 0);
  CHECK(read(*bench.store, 0).records.empty());
  interleave(bench);
  RecordPage all = read(*bench.store, 0);
  CHECK(told(all.records) == "a1 b1 a2 a3 b2 c1 a4");
  CHECK_FALSE(all.more);
  CHECK(all.reached == all.records.back().position);
  CHECK(bench.store->reader()->last_position().value() == all.reached);
  for (size_t i = 1; i < all.records.size(); ++i) CHECK(all.records[i - 1].position < all.records[i].position);
  CHECK(all.records[5].workflow == "mail");
  CHECK(all.records[3].record.kind == Kind::checkpoint);
  CHECK(all.records[3].record.data == record(3).data);

  std::string paged;
  int64_t place = 0;
  for (bool more = true; more;) {
    RecordPage page = read(*bench.store, place, 2);
    CHECK(page.records.size() <= 2);
    paged += (paged.empty() ? "" : " ") + told(page.records);
    place = page.reached;
    more = page.more;
  }
  CHECK(paged == "a1 b1 a2 a3 b2 c1 a4");
  CHECK(read(*bench.store, place).records.empty());
  CHECK(read(*bench.store, place).reached == place);
}

STORE_CASE("records of one run are read from the same positions, and filters drop what nobody asked for") {
  Bench<TestType> bench;
  interleave(bench);
  RecordPage all = read(*bench.store, 0);
  auto filtered = [&](int64_t after, journal::RecordFilter filter, int64_t limit = 1000) {
    return told(read(*bench.store, after, limit, std::move(filter)).records);
  };
  CHECK(filtered(0, {.run = "a"}) == "a1 a2 a3 a4");
  CHECK(filtered(0, {.run = "a"}, 2) == "a1 a2");
  CHECK(filtered(all.records[1].position, {.run = "a"}) == "a2 a3 a4");   // a position of another run's
  CHECK(filtered(all.records[3].position, {.run = "a"}) == "a4");
  CHECK(filtered(all.reached, {.run = "a"}).empty());
  CHECK(filtered(0, {.run = "nobody"}).empty());
  CHECK(filtered(0, {.workflow = "mail"}) == "c1");
  CHECK(filtered(0, {.kinds = {Kind::checkpoint}}) == "a3 b2");
  CHECK(filtered(0, {.kinds = {Kind::checkpoint, Kind::run_started}}) == "a1 b1 a3 b2 c1");
  CHECK(filtered(0, {.run = "a", .workflow = "mail"}).empty());
  CHECK(filtered(0, {.run = "b", .kinds = {Kind::checkpoint}}) == "b2");
}

STORE_CASE("a page takes bounded time: what is dropped counts, and the reader goes on behind it") {
  Bench<TestType> bench;
  interleave(bench);
  RecordPage page = read(*bench.store, 0, 3, {.workflow = "mail"});
  CHECK(page.records.empty());
  CHECK(page.more);
  page = read(*bench.store, page.reached, 3, {.workflow = "mail"});
  CHECK(told(page.records) == "c1");
}

STORE_CASE("a cursor stays good when records are forgotten, and no position is used twice") {
  Bench<TestType> bench;
  RunRow row = bench.create("a");
  std::set<int64_t> seen;
  for (uint64_t seq = 2; seq <= 200; seq += 2) {
    Append append = append_to(row, {record(seq), record(seq + 1)});
    append.forgotten = {{2, seq}};   // all but the newest
    REQUIRE(bench.calls().append(append).ok());
    for (const RunRecord& one : read(*bench.store, seen.empty() ? 0 : *seen.rbegin()).records) {
      CHECK(seen.insert(one.position).second);
      CHECK(one.position == *seen.rbegin());
    }
    if (seq % 50 == 0) bench.reopen();
  }
  CHECK(seen.size() == 101);
  CHECK(told(read(*bench.store, 0).records) == "a1 a201");
}

STORE_CASE("positions go on behind a batch that was refused, and in the next process") {
  Bench<TestType> bench;
  RunRow row = bench.create("a");
  int64_t first = read(*bench.store, 0).reached;
  Append stale = append_to(row, {record(2)});
  stale.epoch = 99;
  CHECK_FALSE(bench.calls().append(stale).ok());
  bench.reopen();
  REQUIRE(bench.calls().append(append_to(row, {record(2)})).ok());
  RecordPage page = read(*bench.store, first);
  CHECK(told(page.records) == "a2");
  CHECK(page.reached > first);
}

STORE_CASE("a tap is told each commit with its positions, before who submitted it, and nothing that was refused") {
  Bench<TestType> bench;
  RunRow before = bench.create("a");
  std::mutex mutex;
  std::vector<RunRecord> told;
  bench.store->set_tap([&](std::vector<RunRecord> records) {
    std::lock_guard lock(mutex);
    told.insert(told.end(), records.begin(), records.end());
  });
  REQUIRE(bench.calls().append(append_to(before, {record(2), record(3)})).ok());
  CHECK(told.size() == 2);
  RunRow b = bench.create("b");
  bench.create("b");   // stands already
  Append stale = append_to(b, {record(2)});
  stale.epoch = 99;
  bool answered = false;
  bench.store->append(append_to(b, {record(2)}), bench.loop, [](Result<void>) {});
  bench.store->append(stale, bench.loop, [](Result<void>) {});
  bench.store->append(append_to(before, {record(4)}), bench.loop, [&](Result<void>) { answered = true; });
  bench.store->flush();
  bench.loop.pump_until([&] { return answered; });
  CHECK(::told(told) == "a2 a3 b1 b2 a4");
  RecordPage page = read(*bench.store, 0);
  REQUIRE(page.records.size() == 6);
  for (size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].position == page.records[i + 1].position);
    CHECK(told[i].workflow == "order");
    CHECK(told[i].record.data == page.records[i + 1].record.data);
    CHECK(told[i].record.name == page.records[i + 1].record.name);
  }
  bench.store->set_tap(nullptr);
  REQUIRE(bench.calls().append(append_to(before, {record(5)})).ok());
  CHECK(told.size() == 5);
  CHECK(bench.records(before).size() == 5);
}

TEST_CASE("positions outlive a vacuum and the deletion of the newest records", "[store]") {
  Bench<SqlitePlace> bench;
  interleave(bench);
  RecordPage all = read(*bench.store, 0);
  bench.store->close();
  {
    Result<SqliteConnection> db = open_database(bench.place.path(), false);
    REQUIRE(db.ok());
    REQUIRE(db->execute("delete from records where seq in (2, 3); vacuum").ok());
    bench.store = nullptr;
  }
  auto store = bench.place.open();
  RecordPage left = read(*store, 0);
  CHECK(told(left.records) == "a1 b1 c1 a4");
  CHECK(left.records[3].position == all.records[6].position);
  store->close();
  {
    Result<SqliteConnection> db = open_database(bench.place.path(), false);
    REQUIRE(db->execute("delete from records; delete from runs").ok());
  }
  bench.store = bench.place.open();
  CHECK(bench.store->reader()->last_position().value() == 0);
  bench.create("d");
  RecordPage fresh = read(*bench.store, all.reached);
  CHECK(told(fresh.records) == "d1");
}

TEST_CASE("a store of the first schema can be read as it is, and is brought up with its positions", "[store]") {
  SqlitePlace place;
  {
    Result<SqliteConnection> db = SqliteConnection::open(place.path(), SqliteConnection::Mode::read_write);
    REQUIRE(db.ok());
    REQUIRE(db->execute("pragma journal_mode=wal").ok());
    REQUIRE(db->execute(schema_up_to(1)).ok());
    REQUIRE(db->execute("insert into runs values (1, 'a', 'waiting', 'order', 1, 'b', '', '', 1, 1, 1, 0, '{}', '', '');"
                        "insert into records (rowid, run, seq, generation, kind, op, task, name, fingerprint, at_us, data)"
                        " values (3, 1, 1, 0, 1, 0, '', 'order', 0, 5, '{}'), (7, 1, 2, 0, 11, 1, '0', 's', 0, 6, '{}')")
                .ok());
  }
  auto positions_of = [](StoreReader& reader) {
    std::vector<int64_t> positions;
    Result<RecordPage> page = reader.records_after({});
    REQUIRE(page.ok());
    for (const RunRecord& one : page->records) positions.push_back(one.position);
    return positions;
  };
  {
    auto old = open_sqlite_reader(place.path());
    REQUIRE(old.ok());
    CHECK(positions_of(**old) == std::vector<int64_t>{3, 7});
    CHECK((*old)->records_after({3, {.run = "a"}, 10}).value().records.size() == 1);
    CHECK((*old)->last_position().value() == 7);
  }
  auto store = place.open();
  CHECK(positions_of(*store->reader()) == std::vector<int64_t>{3, 7});
  CHECK(store->reader()->run("a").value()->last_seq == 2);
  store->close();
}
