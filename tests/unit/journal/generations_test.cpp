// What of a journal counts after somebody has taken the run back.
// SPDX-License-Identifier: MIT
#include "runtime/journal/generations.hpp"

#include <catch2/catch.hpp>

using namespace perilune::journal;

namespace {

Record made(uint64_t seq, Kind kind, uint32_t op = 0, const std::string& data = "") {
  Record record;
  record.seq = seq;
  record.kind = kind;
  record.op = op;
  record.task = op == 0 ? "" : "0";
  record.data = data;
  return record;
}

Record rewind(uint64_t seq, const Rewind& to, Kind kind = Kind::operator_act) {
  return made(seq, kind, 0, "{\"by\":\"ana \\\"keep\\\":9\"," + rewind_members(to) + "}");
}

std::vector<uint64_t> seqs(const std::vector<Record>& records) {
  std::vector<uint64_t> all;
  for (const Record& record : living(records)) all.push_back(record.seq);
  return all;
}

}  // namespace

TEST_CASE("a journal that nobody took back counts as a whole", "[journal]") {
  CHECK(seqs({made(1, Kind::run_started), made(2, Kind::step_done, 1), made(3, Kind::operator_act, 0, "{\"by\":\"ana\"}")}) ==
        std::vector<uint64_t>{1, 2, 3});
  CHECK(seqs({}).empty());
}

TEST_CASE("a rewind leaves what it keeps, and what outlives it", "[journal]") {
  std::vector<Record> records = {made(1, Kind::run_started),    made(2, Kind::step_done, 1), made(3, Kind::step_done, 2),
                                 made(4, Kind::signal),         made(5, Kind::module_added), made(6, Kind::paused),
                                 rewind(7, {2, "", 0, 1, true}), made(8, Kind::step_done, 2)};
  CHECK(seqs(records) == std::vector<uint64_t>{1, 2, 4, 5, 7, 8});
  records.push_back(rewind(9, {1, "", 0, 2, true}, Kind::rollback));
  CHECK(seqs(records) == std::vector<uint64_t>{1, 4, 5, 7, 9});
}

TEST_CASE("an operation that is tried afresh has no attempts behind it, but its progress", "[journal]") {
  CHECK(seqs({made(1, Kind::run_started), made(2, Kind::intent, 1), made(3, Kind::heartbeat, 1), made(4, Kind::attempt_failed, 1),
              made(5, Kind::attempt_failed, 2), rewind(6, {5, "0", 1, 1, false})}) == std::vector<uint64_t>{1, 3, 5, 6});
}

TEST_CASE("a rewind is read as it was written, and a record of another kind is none", "[journal]") {
  auto read = rewind_of(rewind(7, {5, "0.1", 3, 2, true}));
  REQUIRE(read.has_value());
  CHECK(read->keep == 5);
  CHECK(read->task == "0.1");
  CHECK(read->op == 3);
  CHECK(read->generation == 2);
  CHECK(read->undone);
  CHECK(operator_of(rewind(7, {5, "", 0, 2, true})) == "ana \"keep\":9");
  CHECK_FALSE(rewind_of(made(7, Kind::operator_act, 0, "{\"by\":\"ana\"}")).has_value());
  CHECK_FALSE(rewind_of(made(7, Kind::operator_act, 0, "damaged")).has_value());
  CHECK_FALSE(rewind_of(made(7, Kind::step_done, 0, "{\"keep\":1}")).has_value());
}

TEST_CASE("a rollback is open from its act to its record", "[journal]") {
  std::vector<Record> records = {made(1, Kind::run_started), made(2, Kind::operator_act, 0, "{\"by\":\"ana\",\"to\":\"x\",\"checkpoint\":1}")};
  records[1].name = "rollback";
  auto open = open_rollback(records);
  REQUIRE(open.has_value());
  CHECK(open->since == 2);
  CHECK(open->checkpoint == 1);
  CHECK(open->name == "x");
  CHECK(open->by == "ana");
  records.push_back(rewind(3, {1, "", 0, 1, true}, Kind::rollback));
  CHECK_FALSE(open_rollback(records).has_value());
}
