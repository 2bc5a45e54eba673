// What every store promises of reading, run against each of them.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/store/store_fixture.hpp"

using namespace perilune;
using namespace perilune::store;
using namespace perilune::store::test;
using journal::Kind;
using journal::Record;

STORE_CASE("records come back as they were written, every field of them") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  Record odd = record(2, Kind::run_done);
  odd.generation = 4'000'000'000u;
  odd.op = 4'000'000'001u;
  odd.task = "0.12.3";
  odd.name = std::string("with \0 inside and \xff", 19);
  odd.fingerprint = UINT64_MAX;
  odd.at_us = INT64_MAX;
  odd.data = std::string(100'000, 'x');
  Record bare;
  bare.seq = 3;
  REQUIRE(bench.calls().append(append_to(row, {odd, bare})).ok());
  std::vector<Record> found = bench.records(row);
  REQUIRE(found.size() == 3);
  CHECK(found[1].generation == odd.generation);
  CHECK(found[1].kind == odd.kind);
  CHECK(found[1].op == odd.op);
  CHECK(found[1].task == odd.task);
  CHECK(found[1].name == odd.name);
  CHECK(found[1].fingerprint == odd.fingerprint);
  CHECK(found[1].at_us == odd.at_us);
  CHECK(found[1].data == odd.data);
  CHECK(found[2].kind == Kind::event);
  CHECK(found[2].task.empty());
  CHECK(found[2].data.empty());
}

STORE_CASE("every status comes back as it was written") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  for (int i = 0; i <= static_cast<int>(Status::quarantined); ++i) {
    Append append = append_to(row, {});
    append.patch.status = static_cast<Status>(i);
    REQUIRE(bench.calls().append(append).ok());
    CHECK(bench.row("run-1").status == static_cast<Status>(i));
  }
}

STORE_CASE("a list is newest first and obeys its filters") {
  Bench<TestType> bench;
  struct Sample {
    const char* id;
    const char* workflow;
    const char* session;
    Status status;
    int64_t created_us;
  };
  for (const Sample& sample : {Sample{"a", "order", "s1", Status::completed, 10},
                               {"b", "order", "s2", Status::waiting, 30},
                               {"c", "mail", "s1", Status::running, 20},
                               {"d", "mail", "s2", Status::failed, 40},
                               {"e", "mail", "s2", Status::paused, 40}}) {
    NewRun run = new_run(sample.id);
    run.row.workflow = sample.workflow;
    run.row.session = sample.session;
    run.row.status = sample.status;
    run.row.created_us = sample.created_us;
    REQUIRE(bench.calls().create(run).ok());
  }
  auto reader = bench.store->reader();
  auto list = [&](auto change) {
    Filter filter;
    change(filter);
    return ids(reader->list(filter));
  };
  CHECK(list([](Filter&) {}) == Ids{"e", "d", "b", "c", "a"});
  CHECK(list([](Filter& f) { f.limit = 2; }) == Ids{"e", "d"});
  CHECK(list([](Filter& f) { f.workflow = "mail"; }) == Ids{"e", "d", "c"});
  CHECK(list([](Filter& f) { f.session = "s1"; }) == Ids{"c", "a"});
  CHECK(list([](Filter& f) { f.since_us = 30; }) == Ids{"e", "d", "b"});
  CHECK(list([](Filter& f) { f.statuses = {Status::running, Status::waiting}; }) == Ids{"b", "c"});
  CHECK(list([](Filter& f) { f.statuses = {Status::completed, Status::running}; }) == Ids{"c", "a"});
  CHECK(list([](Filter& f) { f.statuses = {Status::paused}, f.workflow = "mail", f.session = "s2", f.limit = 5; }) ==
        Ids{"e"});
  CHECK(list([](Filter& f) { f.workflow = "none"; }).empty());
}

STORE_CASE("runs are found by the beginning of their id, and only by it") {
  Bench<TestType> bench;
  for (const char* id : {"ab1", "ab2", "ab", "aB3", "ac", "b%", "bx"}) bench.create(id);
  auto reader = bench.store->reader();
  CHECK(ids(reader->runs_by_prefix("ab", 0)) == Ids{"ab", "ab1", "ab2"});
  CHECK(ids(reader->runs_by_prefix("ab", 2)) == Ids{"ab", "ab1"});
  CHECK(ids(reader->runs_by_prefix("b%", 0)) == Ids{"b%"});
  CHECK(ids(reader->runs_by_prefix("zz", 0)).empty());
  CHECK(ids(reader->runs_by_prefix("", 0)).size() == 7);
}

STORE_CASE("records of some kinds are read over all runs, the newest first") {
  Bench<TestType> bench;
  RunRow a = bench.create("a"), b = bench.create("b");
  REQUIRE(bench.calls().append(append_to(a, {record(2), record(3, journal::Kind::paused)})).ok());
  REQUIRE(bench.calls().append(append_to(b, {record(2, journal::Kind::operator_act)})).ok());
  auto reader = bench.store->reader();
  auto found = [&](int64_t since_us) {
    Ids names;
    auto records = reader->records_of_kinds({journal::Kind::paused, journal::Kind::operator_act}, since_us);
    REQUIRE(records.ok());
    for (const RunRecord& one : *records) names.push_back(one.run + " " + one.workflow + " " + std::to_string(one.record.seq));
    return names;
  };
  CHECK(found(0) == Ids{"a order 3", "b order 2"});
  CHECK(found(record(3).at_us) == Ids{"a order 3"});
}

STORE_CASE("records are read from a position on, as many as wanted") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  std::vector<Record> more;
  for (uint64_t seq = 2; seq <= 10; ++seq) more.push_back(record(seq));
  REQUIRE(bench.calls().append(append_to(row, more)).ok());
  auto reader = bench.store->reader();
  CHECK(seqs(reader->records(row.no, 8, 0).value()) == Seqs{8, 9, 10});
  CHECK(seqs(reader->records(row.no, 0, 2).value()) == Seqs{1, 2});
  CHECK(seqs(reader->records(row.no, 4, 3).value()) == Seqs{4, 5, 6});
  CHECK(reader->records(row.no, 11, 0).value().empty());
}

STORE_CASE("a reader sees what is committed and nothing before") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  auto reader = bench.store->reader();
  bool committed = false;
  bench.store->append(append_to(row, {record(2)}), bench.loop, [&](Result<void> result) { committed = result.ok(); });
  CHECK(seqs(reader->records(row.no, 1, 0).value()) == Seqs{1});
  CHECK(reader->run("run-1").value()->last_seq == 1);
  bench.store->flush();
  bench.loop.pump_until([&] { return committed; });
  CHECK(seqs(reader->records(row.no, 1, 0).value()) == Seqs{1, 2});
  CHECK(reader->run("run-1").value()->last_seq == 2);
}

STORE_CASE("a bundle is kept under its hash, and the first content stays") {
  Bench<TestType> bench;
  std::string content("return \0\xff", 9);
  REQUIRE(bench.calls().put_bundle("h1", content).ok());
  REQUIRE(bench.calls().put_bundle("h1", "something else").ok());
  REQUIRE(bench.calls().put_bundle("h2", "").ok());
  auto reader = bench.store->reader();
  CHECK(reader->bundle("h1").value().value() == content);
  CHECK(reader->bundle("h2").value().value().empty());
  CHECK_FALSE(reader->bundle("h3").value().has_value());
}
