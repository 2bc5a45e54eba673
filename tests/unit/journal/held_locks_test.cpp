// Which locks a run holds, by its records.
// SPDX-License-Identifier: MIT
#include "runtime/journal/held_locks.hpp"

#include <catch2/catch.hpp>

using namespace perilune::journal;

namespace {

Record of(Kind kind, const std::string& task, uint32_t op, const std::string& name, int64_t at_us = 0) {
  Record record;
  record.kind = kind;
  record.task = task;
  record.op = op;
  record.name = name;
  record.at_us = at_us;
  return record;
}

}  // namespace

TEST_CASE("a lock is held from its record on until it is left, by the call that took it", "[journal]") {
  std::vector<Record> records = {of(Kind::lock_granted, "0", 1, "till", 5), of(Kind::lock_taken, "0.1", 1, "door", 6),
                                 of(Kind::lock_taken, "0.2", 1, "gate"), of(Kind::lock_released, "0.2", 1, "gate"),
                                 of(Kind::lock_taken, "0.2", 3, "gate", 9)};
  std::vector<HeldLock> held = held_locks(records);
  REQUIRE(held.size() == 3);
  CHECK(held[0].name == "till");
  CHECK(held[0].of_all_runs);
  CHECK(held[0].since_us == 5);
  CHECK(held[1].name == "door");
  CHECK_FALSE(held[1].of_all_runs);
  CHECK(held[2].task == "0.2");
  CHECK(held[2].op == 3);
  records.push_back(of(Kind::run_done, "", 0, "failed"));
  CHECK(held_locks(records).empty());
  CHECK(held_locks({}).empty());
}
