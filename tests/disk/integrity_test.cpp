// Damage that no process has made: bits that turn over on the disk, records that are changed or gone. Whatever a journal
// says that it did not say before is found, the run is set aside, and the others go on. SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <filesystem>

#include "runtime/engine/operator.hpp"
#include "runtime/store/verify.hpp"
#include "tests/disk/disk_fixture.hpp"
#include "tests/disk/inline_store.hpp"
#include "tests/disk/workload.hpp"
#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using namespace perilune::disk;
using engine::Place;
using store::Status;

namespace {

// What the journals say; empty where the store can't be read or says itself that something is wrong.
std::string journals(store::StoreReader& reader) {
  std::string text;
  Result<std::vector<store::RunRow>> rows = reader.list({});
  if (!rows.ok()) return "";
  for (const store::RunRow& row : *rows) {
    Result<store::Journal> journal = reader.journal(row);
    if (!journal.ok() || journal->flaw) return "";
    for (const journal::Record& record : journal->records)
      text += row.id + " " + std::to_string(record.seq) + " " + std::string(kind_name(record.kind)) + " " + record.task + " " +
              record.name + " " + std::to_string(record.at_us) + " " + record.data + "\n";
  }
  return text;
}

const char* const k_script = R"(
  step("one", function() effect("one " .. this.id) return 1 end)
  step("two", function() effect("two " .. this.id) return 2 end)
  sleep("1h")
  return step("three", function() effect("three " .. this.id) return 3 end))";

// A store on a disk, and engines that come and go.
struct House {
  Standing standing;
  Disk disk{1};
  int64_t wall_us = 1'700'000'000'000'000;
  std::vector<std::string> effects;

  template <class Do>
  void live(Do&& act) {
    Place::Options options;
    options.wall_us = wall_us;
    options.make_store = [this](loop::SimLoop& loop) -> std::unique_ptr<store::Store> {
      return std::move(InlineStore::open(disk, standing.path(), loop).value());
    };
    Place place(std::move(options));
    act(place);
    wall_us = place.loop().clock().wall_us();
    effects = place.effects();
  }
  void begin(Place& place, const std::string& id) {
    engine::StartRequest request;
    request.file = "flow.lua";
    request.text = k_script;
    request.id = id;
    place.engine().start(std::move(request), [](Result<store::RunRow> row) { REQUIRE(row.ok()); }, {});
  }
  void sql(const std::string& text) {
    auto db = store::SqliteConnection::open(standing.path(), store::SqliteConnection::Mode::read_write);
    REQUIRE(db->execute(text).ok());
  }
  store::RunRow row(const std::string& id) {
    loop::SimLoop loop;
    auto store = InlineStore::open(disk, standing.path(), loop);
    return (*store)->reader()->run(id).value().value();
  }
};

}  // namespace

TEST_CASE("no bit that turns over in the file changes what journals say without being found", "[disk]") {
  uint64_t flips = setting("PERILUNE_DISK_FLIPS", 300), seed = setting("PERILUNE_SEED", 1);
  Standing standing;
  Random random(seed);
  std::string whole;
  Disk disk(seed);
  {
    Workload workload(seed, false);
    loop::SimLoop loop;
    auto store = InlineStore::open(disk, standing.path(), loop);
    REQUIRE(store.ok());
    for (int batches = 0; batches < 20; ++batches) REQUIRE(workload.batch(**store, loop));
    whole = journals(*(*store)->reader());
    (*store)->close();
  }
  REQUIRE(whole.size() > 1000);
  CHECK(store::verify_sqlite(standing.path())->damages.size() == 0);
  uint64_t found = 0, harmless = 0;
  for (uint64_t i = 0; i < flips; ++i) {
    std::string& file = *disk.file("perilune.db");
    size_t bit = random.below(8 * file.size());
    file[bit / 8] = static_cast<char>(file[bit / 8] ^ 1 << bit % 8);
    std::string now;
    Result<std::unique_ptr<store::StoreReader>> reader = store::open_sqlite_reader(standing.path());
    if (reader.ok()) now = journals(**reader);
    reader = Error();
    if (now == whole) ++harmless;
    else {
      Result<store::Verdict> verdict = store::verify_sqlite(standing.path());
      if (verdict.ok() && verdict->damages.empty()) FAIL("PERILUNE_SEED=" << seed << ": bit " << bit << " was not found");
      ++found;
    }
    std::string& same = *disk.file("perilune.db");
    same[bit / 8] = static_cast<char>(same[bit / 8] ^ 1 << bit % 8);
  }
  CHECK(found > 0);
  CHECK(harmless > 0);
}

TEST_CASE("a run whose journal is damaged is set aside, the others go on, and it can be gone on from what is good", "[disk]") {
  House house;
  house.live([&](Place& place) {
    house.begin(place, "bad");
    house.begin(place, "good");
    for (int steps = 0; steps < 400; ++steps) place.loop().advance_us(1000);
  });
  house.sql("update records set data = replace(data, '2', '7') where name = 'two' and run = (select no from runs where id = 'bad')");

  Error why;
  std::string good;
  house.live([&](Place& place) {
    place.engine().resume("bad", [&](Result<store::RunRow> row) { if (!row.ok()) why = row.error(); }, {});
    place.engine().resume("good", [](Result<store::RunRow> row) { CHECK(row.ok()); },
                          [&](const store::RunRow&, const flow::Ending& ending) { good = ending.output; });
    place.loop().run();
  });
  CHECK(why.code == code::k_damaged);
  CHECK(why.message.find("run 'bad'") != std::string::npos);
  CHECK(why.message.find("is not as it was written") != std::string::npos);
  CHECK(good == "3");
  CHECK(house.effects == std::vector<std::string>{"three good"});
  CHECK(house.row("bad").status == Status::quarantined);
  CHECK(house.row("bad").error.find("damaged") != std::string::npos);
  Result<store::Verdict> verdict = store::verify_sqlite(house.standing.path());
  REQUIRE(verdict->damages.size() == 1);
  CHECK(verdict->damages.front().run == "bad");
  uint64_t flaw = verdict->damages.front().seq;

  std::string forked;
  house.live([&](Place& place) {
    place.engine().fork("bad", {"ana", 0, "", "again"}, [&](Result<store::RunRow> row) {
      REQUIRE(row.ok());
      CHECK(row->last_seq == flaw);   // the good ones, and who forked it
      place.engine().resume("again", [](Result<store::RunRow> r) { CHECK(r.ok()); },
                            [&](const store::RunRow&, const flow::Ending& ending) { forked = ending.output; });
    });
    place.loop().run();
  });
  CHECK(forked == "3");
  CHECK(house.effects == std::vector<std::string>{"two again", "three again"});
}

TEST_CASE("a run that was set aside goes on when what was wrong is no more, and can be given up when it stays", "[disk]") {
  House house;
  house.live([&](Place& place) {
    house.begin(place, "one");
    house.begin(place, "two");
    for (int steps = 0; steps < 400; ++steps) place.loop().advance_us(1000);
  });
  house.sql("update records set at_us = at_us + 1 where seq = 2");
  auto resume_both = [&](std::map<std::string, std::string>& ends) {
    house.live([&](Place& place) {
      for (std::string id : {"one", "two"})
        place.engine().resume(id, [&ends, id](Result<store::RunRow> row) { if (!row.ok()) ends[id] = row.error().code; },
                              [&ends, id](const store::RunRow&, const flow::Ending& ending) { ends[id] = ending.output; });
      place.loop().run();
    });
  };
  std::map<std::string, std::string> ends;
  resume_both(ends);
  CHECK(ends == std::map<std::string, std::string>{{"one", "damaged"}, {"two", "damaged"}});
  house.sql("update records set at_us = at_us - 1 where seq = 2 and run = (select no from runs where id = 'one')");
  resume_both(ends);
  CHECK(ends == std::map<std::string, std::string>{{"one", "3"}, {"two", "damaged"}});
  CHECK(house.row("one").status == Status::completed);
  CHECK(house.row("one").error.empty());
  house.live([&](Place& place) {
    engine::Order order;
    order.act = engine::Order::Act::abort;
    order.by = "ana";
    place.engine().operate("two", order, [](Result<store::RunRow> row) { CHECK(row.ok()); });
    place.loop().run();
  });
  CHECK(house.row("two").status == Status::cancelled);
}

TEST_CASE("a backup is the store as it stands, while it is written to, and takes no other file's place", "[store]") {
  store::test::Bench<store::test::SqlitePlace> bench;
  store::RunRow row = bench.create("run-1");
  REQUIRE(bench.calls().append(store::test::append_to(row, {store::test::record(2)})).ok());
  std::string to = bench.place.directory().file("copy.db");
  REQUIRE(store::backup_sqlite(bench.place.path(), to).ok());
  REQUIRE(bench.calls().append(store::test::append_to(row, {store::test::record(3)})).ok());
  CHECK(store::backup_sqlite(bench.place.path(), to).error().code == code::k_usage);
  Result<store::Verdict> verdict = store::verify_sqlite(to);
  REQUIRE(verdict.ok());
  CHECK(verdict->damages.empty());
  CHECK(verdict->records == 2);
  CHECK(verdict->unsealed == 0);
  CHECK_FALSE(std::filesystem::exists(to + ".part"));
  CHECK(store::backup_sqlite(bench.place.directory().file("none.db"), to + "2").error().code == code::k_not_found);
}
