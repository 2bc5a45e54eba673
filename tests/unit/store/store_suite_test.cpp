// What every store promises of writing, run against each of them.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/store/store_fixture.hpp"

using namespace perilune;
using namespace perilune::store;
using namespace perilune::store::test;
using journal::Kind;
using journal::Record;

STORE_CASE("a created run belongs to its creator and stands in the store with all its fields") {
  Bench<TestType> bench;
  NewRun asked = new_run("run-1");
  asked.row.wake_us = 77;
  Result<Created> created = bench.calls().create(asked);
  REQUIRE(created.ok());
  CHECK_FALSE(created->existed);
  CHECK(created->row.epoch == 1);
  CHECK(created->row.last_seq == 1);
  RunRow row = bench.row("run-1");
  CHECK(row.no == created->row.no);
  CHECK(row.no > 0);
  CHECK(row.workflow == "order");
  CHECK(row.version == 3);
  CHECK(row.bundle == "b1");
  CHECK(row.session == "s1");
  CHECK(row.parent == "p1");
  CHECK(row.input == "{\"n\":10}");
  CHECK(row.status == Status::running);
  CHECK(row.epoch == 1);
  CHECK(row.last_seq == 1);
  CHECK(row.created_us == 1000);
  CHECK(row.updated_us == record(1).at_us);
  CHECK(row.wake_us == 77);
  CHECK(row.output.empty());
  CHECK(row.error.empty());
}

STORE_CASE("a run whose id exists is handed back untouched") {
  Bench<TestType> bench;
  RunRow first = bench.create("run-1");
  NewRun again = new_run("run-1");
  again.row.workflow = "other";
  Result<Created> second = bench.calls().create(again);
  REQUIRE(second.ok());
  CHECK(second->existed);
  CHECK(second->row.no == first.no);
  CHECK(second->row.workflow == "order");
  CHECK(second->row.epoch == 1);
  CHECK(seqs(bench.records(first)) == Seqs{1});
}

STORE_CASE("a new run whose records are not numbered from 1 is refused") {
  Bench<TestType> bench;
  NewRun run = new_run("run-1");
  run.records = {record(2)};
  Result<Created> created = bench.calls().create(run);
  REQUIRE_FALSE(created.ok());
  CHECK(created.error().code == code::k_conflict);
  CHECK_FALSE(bench.store->reader()->run("run-1").value().has_value());
}

STORE_CASE("a run that is copied from another may lack what that one's loops have let go") {
  Bench<TestType> bench;
  NewRun run = new_run("copy");
  run.copied = true;
  run.records = {record(1, Kind::run_started), record(7), record(9)};
  Result<Created> created = bench.calls().create(run);
  REQUIRE(created.ok());
  CHECK(created->row.last_seq == 9);
  CHECK(seqs(bench.records(created->row)) == Seqs{1, 7, 9});
  CHECK(bench.calls().append(append_to(created->row, {record(10)})).ok());
  NewRun wrong = new_run("wrong");
  wrong.copied = true;
  wrong.records = {record(3), record(3)};
  CHECK(bench.calls().create(wrong).error().code == code::k_conflict);
}

STORE_CASE("appends of one flush commit in the order in which they were submitted") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  std::vector<int> answers;
  for (uint64_t seq = 2; seq <= 100; ++seq) {
    bench.store->append(append_to(row, {record(seq)}), bench.loop, [&answers, seq](Result<void> result) {
      REQUIRE(result.ok());
      answers.push_back(static_cast<int>(seq));
    });
  }
  bench.store->flush();
  bench.loop.pump_until([&] { return answers.size() == 99; });
  CHECK(std::is_sorted(answers.begin(), answers.end()));
  CHECK(bench.records(row).size() == 100);
  CHECK(bench.row("run-1").last_seq == 100);
  CHECK(bench.row("run-1").updated_us == record(100).at_us);
}

STORE_CASE("an append that leaves a gap or repeats a seq is a conflict and changes nothing") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  for (auto records : {std::vector{record(3)}, std::vector{record(1)}, std::vector{record(2), record(4)}}) {
    Append append = append_to(row, records);
    append.patch.status = Status::failed;
    Result<void> refused = bench.calls().append(append);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == code::k_conflict);
  }
  CHECK(seqs(bench.records(row)) == Seqs{1});
  CHECK(bench.row("run-1").status == Status::running);
  CHECK(bench.calls().append(append_to(row, {record(2)})).ok());
}

STORE_CASE("a claim raises the epoch and fences the owner before") {
  Bench<TestType> bench;
  RunRow old = bench.create("run-1");
  Result<RunRow> claimed = bench.calls().claim("run-1");
  REQUIRE(claimed.ok());
  CHECK(claimed->epoch == 2);
  CHECK(claimed->last_seq == 1);
  CHECK(claimed->input == old.input);
  Append stale = append_to(old, {record(2)});
  stale.patch.status = Status::completed;
  Result<void> refused = bench.calls().append(stale);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == code::k_fenced);
  CHECK(bench.row("run-1").status == Status::running);
  CHECK(seqs(bench.records(old)) == Seqs{1});
  CHECK(bench.calls().append(append_to(*claimed, {record(2)})).ok());
  CHECK(bench.row("run-1").epoch == 2);
}

STORE_CASE("what is asked of a run that does not exist is not found") {
  Bench<TestType> bench;
  CHECK(bench.calls().claim("nobody").error().code == code::k_not_found);
  RunRow nobody;
  nobody.no = 4711;
  nobody.epoch = 1;
  CHECK(bench.calls().append(append_to(nobody, {record(1)})).error().code == code::k_not_found);
  CHECK_FALSE(bench.store->reader()->run("nobody").value().has_value());
  CHECK(bench.store->reader()->records(4711, 1, 0).value().empty());
}

STORE_CASE("refused operations leave the others of their batch alone") {
  Bench<TestType> bench;
  RunRow a = bench.create("a");
  RunRow b = bench.create("b");
  std::vector<std::string> answers;
  auto note = [&](Result<void> result) { answers.push_back(result.ok() ? "ok" : result.error().code); };
  bench.store->append(append_to(a, {record(2)}), bench.loop, note);
  bench.store->append(append_to(b, {record(9)}), bench.loop, note);
  RunRow stale = a;
  stale.epoch = 7;
  bench.store->append(append_to(stale, {record(3)}), bench.loop, note);
  bench.store->append(append_to(a, {record(3)}), bench.loop, note);
  bench.store->append(append_to(b, {record(2)}), bench.loop, note);
  bench.store->flush();
  bench.loop.pump_until([&] { return answers.size() == 5; });
  CHECK(answers == Ids{"ok", "conflict", "fenced", "ok", "ok"});
  CHECK(seqs(bench.records(a)) == Seqs{1, 2, 3});
  CHECK(seqs(bench.records(b)) == Seqs{1, 2});
}

STORE_CASE("a claim within a batch stands between the appends before and after it") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  std::vector<std::string> answers;
  std::optional<RunRow> claimed;
  auto note = [&](Result<void> result) { answers.push_back(result.ok() ? "ok" : result.error().code); };
  Append before = append_to(row, {record(2)});
  before.patch.status = Status::waiting;
  bench.store->append(before, bench.loop, note);
  bench.store->claim("run-1", bench.loop, [&](Result<RunRow> result) { claimed = result.value(); });
  bench.store->append(append_to(row, {record(3)}), bench.loop, note);
  bench.store->flush();
  bench.loop.pump_until([&] { return answers.size() == 2 && claimed; });
  CHECK(answers == Ids{"ok", "fenced"});
  CHECK(claimed->last_seq == 2);
  CHECK(claimed->status == Status::waiting);
}

STORE_CASE("a patch changes what it names, and later patches of a batch win") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  bench.loop.virtual_clock().advance_us(5'000'000);
  Append first = append_to(row, {});
  first.patch.status = Status::waiting;
  first.patch.wake_us = 99;
  REQUIRE(bench.calls().append(first).ok());
  RunRow waiting = bench.row("run-1");
  CHECK(waiting.status == Status::waiting);
  CHECK(waiting.wake_us == 99);
  CHECK(waiting.last_seq == 1);
  CHECK(waiting.updated_us == bench.loop.clock().wall_us());

  Append second = append_to(row, {record(2)});
  second.patch.status = Status::running;
  second.patch.wake_us = 0;
  second.patch.error = "{\"code\":\"x\"}";
  Append third = append_to(row, {record(3)});
  third.patch.status = Status::completed;
  third.patch.output = "[1]";
  third.patch.error = "";
  int answered = 0;
  for (const Append& append : {second, third})
    bench.store->append(append, bench.loop, [&](Result<void> result) { answered += result.ok() ? 1 : 100; });
  bench.store->flush();
  bench.loop.pump_until([&] { return answered >= 2; });
  CHECK(answered == 2);
  RunRow over = bench.row("run-1");
  CHECK(over.status == Status::completed);
  CHECK(over.wake_us == 0);
  CHECK(over.output == "[1]");
  CHECK(over.error.empty());
  CHECK(over.last_seq == 3);
  CHECK(over.input == row.input);
}

STORE_CASE("what was committed is there for the next store, with its epochs and positions") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  REQUIRE(bench.calls().append(append_to(row, {record(2), record(3)})).ok());
  REQUIRE(bench.calls().put_bundle("h1", "code").ok());
  bench.reopen();
  CHECK(bench.row("run-1").last_seq == 3);
  CHECK(bench.store->reader()->bundle("h1").value().value() == "code");
  CHECK(bench.calls().append(append_to(row, {record(3)})).error().code == code::k_conflict);
  Result<RunRow> claimed = bench.calls().claim("run-1");
  REQUIRE(claimed.ok());
  CHECK(claimed->epoch == 2);
  CHECK(claimed->last_seq == 3);
  CHECK(bench.calls().append(append_to(row, {record(4)})).error().code == code::k_fenced);
  CHECK(bench.calls().append(append_to(*claimed, {record(4)})).ok());
}

STORE_CASE("close commits what was submitted, flushed or not, and answers it") {
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  int answered = 0;
  bench.store->append(append_to(row, {record(2)}), bench.loop, [&](Result<void> result) { answered += result.ok(); });
  bench.store->flush();
  bench.store->append(append_to(row, {record(3)}), bench.loop, [&](Result<void> result) { answered += result.ok(); });
  bench.reopen();
  bench.loop.pump_until([&] { return answered == 2; });
  CHECK(bench.row("run-1").last_seq == 3);
}

STORE_CASE("answers go to the loop that asked, one post a loop and batch") {
  PumpedLoop other;  // outlives the store, as a loop must
  Bench<TestType> bench;
  RunRow row = bench.create("run-1");
  int posts_before = bench.loop.posts();
  std::vector<int> here, there;
  for (uint64_t seq = 2; seq <= 9; ++seq) {
    bool even = seq % 2 == 0;
    std::vector<int>& answers = even ? here : there;
    bench.store->append(append_to(row, {record(seq)}), even ? bench.loop : other,
                        [&answers, seq](Result<void>) { answers.push_back(static_cast<int>(seq)); });
  }
  bench.store->flush();
  bench.loop.pump_until([&] { return here.size() == 4; });
  other.pump_until([&] { return there.size() == 4; });
  CHECK(here == std::vector{2, 4, 6, 8});
  CHECK(there == std::vector{3, 5, 7, 9});
  CHECK(other.posts() == 1);
  CHECK(bench.loop.posts() - posts_before <= 2);  // the memory store posts its commit to the loop as well
}

STORE_CASE("a thousand interleaved runs keep their journals apart and whole") {
  Bench<TestType> bench;
  constexpr int k_runs = 1000;
  constexpr uint64_t k_steps = 10;
  std::vector<RunRow> rows(k_runs);
  int over = 0;
  bool all_ok = true;
  std::function<void(int, uint64_t)> step = [&](int i, uint64_t seq) {
    Append append = append_to(rows[static_cast<size_t>(i)], {record(seq)});
    if (seq == k_steps) append.patch.status = Status::completed;
    bench.store->append(std::move(append), bench.loop, [&, i, seq](Result<void> result) {
      all_ok = all_ok && result.ok();
      if (seq < k_steps && result.ok())
        step(i, seq + 1);
      else
        ++over;
    });
    bench.store->flush();
  };
  for (int i = 0; i < k_runs; ++i) {
    bench.store->create(new_run("run-" + std::to_string(i)), bench.loop, [&, i](Result<Created> created) {
      rows[static_cast<size_t>(i)] = created.value().row;
      step(i, 2);
    });
  }
  bench.store->flush();
  bench.loop.pump_until([&] { return over == k_runs; });
  REQUIRE(all_ok);
  auto reader = bench.store->reader();
  size_t whole = 0;
  for (const RunRow& row : rows) {
    std::vector<Record> records = reader->records(row.no, 1, 0).value();
    RunRow now = reader->run(row.id).value().value();
    if (records.size() == k_steps && records.back().seq == k_steps && now.last_seq == k_steps &&
        now.status == Status::completed)
      ++whole;
  }
  CHECK(whole == k_runs);
}

TEST_CASE("names of statuses read back as the statuses they are", "[store]") {
  for (int i = 0; i <= static_cast<int>(Status::quarantined); ++i) {
    Status status = static_cast<Status>(i);
    CHECK(status_from_name(status_name(status)) == status);
  }
  CHECK_FALSE(status_from_name("runing").has_value());
  CHECK_FALSE(status_from_name("").has_value());
  CHECK(is_final(Status::cancelled));
  CHECK_FALSE(is_final(Status::paused));
}
