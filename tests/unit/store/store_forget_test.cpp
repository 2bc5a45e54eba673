// Records that an Append names as forgotten, in every store.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/store/store_fixture.hpp"

using namespace perilune;
using namespace perilune::store;
using namespace perilune::store::test;

STORE_CASE("forgotten records go in the commit that names them, and the numbers go on") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  RunRow other = bench.create("run-2");
  REQUIRE(bench.calls().append(append_to(row, {record(2), record(3), record(4)})).ok());
  REQUIRE(bench.calls().append(append_to(other, {record(2), record(3)})).ok());
  Append append = append_to(row, {record(5), record(6)});
  append.forgotten = {{2, 3}, {5, 5}};
  REQUIRE(bench.calls().append(append).ok());
  CHECK(seqs(bench.records(row)) == Seqs{1, 4, 6});
  CHECK(seqs(bench.records(other)) == Seqs{1, 2, 3});
  CHECK(bench.row("run-1").last_seq == 6);
  bench.reopen();
  CHECK(seqs(bench.records(row)) == Seqs{1, 4, 6});
  CHECK(seqs(bench.store->reader()->records(row.no, 3, 0).value()) == Seqs{4, 6});
  CHECK(seqs(bench.store->reader()->records(row.no, 1, 2).value()) == Seqs{1, 4});
  REQUIRE(bench.calls().append(append_to(row, {record(7)})).ok());
  CHECK(bench.row("run-1").last_seq == 7);
}

STORE_CASE("records of the run itself and its newest one are never forgotten") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  journal::Record of_run = record(2, journal::Kind::module_added);
  of_run.task.clear();
  Append append = append_to(row, {of_run, record(3), record(4)});
  append.forgotten = {{1, 4}};
  REQUIRE(bench.calls().append(append).ok());
  Seqs left = seqs(bench.records(row));
  CHECK(left.back() == 4);
  CHECK(std::count(left.begin(), left.end(), 2) == 1);
  CHECK(std::count(left.begin(), left.end(), 3) == 0);
  CHECK(bench.row("run-1").last_seq == 4);
}

STORE_CASE("an append that is refused forgets nothing") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  REQUIRE(bench.calls().append(append_to(row, {record(2), record(3)})).ok());
  Append gap = append_to(row, {record(9)});
  gap.forgotten = {{2, 2}};
  CHECK_FALSE(bench.calls().append(gap).ok());
  Append stale = append_to(row, {record(4)});
  stale.epoch = 99;
  stale.forgotten = {{2, 2}};
  CHECK_FALSE(bench.calls().append(stale).ok());
  CHECK(seqs(bench.records(row)) == Seqs{1, 2, 3});
}
