// An operator's rollback to a checkpoint, and forks: what is undone, what stays, what comes again.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::ForkOrder;
using engine::Lab;
using engine::Life;
using engine::Order;
using engine::Place;
using engine::result;
using journal::Kind;
using Names = std::vector<std::string>;

namespace {

Order order(Order::Act act, const std::string& to = "") {
  Order made;
  made.act = act;
  made.by = "ana@desk";
  made.checkpoint = to;
  return made;
}

Order rollback(const std::string& to) { return order(Order::Act::rollback, to); }

ForkOrder fork(uint64_t at, const std::string& input = "") {
  ForkOrder made;
  made.by = "ana@desk";
  made.at = at;
  made.input = input;
  made.id = "fork-1";
  return made;
}

std::string refusal(const Result<store::RunRow>& answer) {
  return answer.ok() ? "ok" : answer.error().code + ": " + answer.error().message;
}

std::vector<store::RunRow> rows_of(Lab& lab) {
  Place place({lab.disk()});
  Result<std::vector<store::RunRow>> rows = place.reader().list({});
  REQUIRE(rows.ok());
  return std::move(*rows);
}

void give_signal(Lab& lab, const std::string& name, const std::string& value) {
  Place place({lab.disk()});
  place.engine().signal(lab.id, name, value, "", [](Result<void> given) { CHECK(given.ok()); });
  place.loop().run();
}

uint64_t seq_of(Lab& lab, Kind kind, const std::string& name) {
  for (const journal::Record& record : lab.journal())
    if (record.kind == kind && record.name == name) return record.seq;
  return 0;
}

// Waits at its end for a signal "end": "again" is given once for each time it comes to the receive of "go".
const std::string k_order = R"(
  local function doing(name) return step(name, { undo = function() effect("undo " .. name) end }, function() effect(name) return name end) end
  doing("reserve")
  checkpoint "paid"
  doing("pack")
  local go = receive("go")
  compensate("call back", function() effect("call back") end)
  doing("ship")
  local last = receive("end")
  return { go = go, last = last })";

}  // namespace

TEST_CASE("rollback undoes to the checkpoint and the run goes on from it, with its signals again", "[engine][rollback]") {
  Lab lab(k_order);
  lab.live();   // it waits for "go"
  give_signal(lab, "go", "1");
  CHECK(result(lab.live()) == "cut");   // it waits for the end
  REQUIRE(lab.operate(rollback("paid")).ok());
  CHECK(result(lab.live()) == "cut");
  CHECK(lab.ledger() == Names{"reserve", "pack", "ship", "undo ship", "call back", "undo pack", "pack", "ship"});
  CHECK(lab.row().status == store::Status::waiting);
  give_signal(lab, "end", "2");
  CHECK(result(lab.live()) == R"({"go":1,"last":2})");
  CHECK(lab.recorded({Kind::operator_act, Kind::rollback}) == Names{"operator_act rollback", "rollback paid"});
  uint64_t seq = 0;
  for (const journal::Record& record : lab.journal()) CHECK(record.seq == ++seq);
}

TEST_CASE("rollback cut at every record", "[engine][rollback][crash]") {
  for (uint64_t records = 0; records < 12; ++records) {
    Lab lab(k_order);
    lab.live(1);
    give_signal(lab, "go", "1");
    lab.live();
    REQUIRE(lab.operate(rollback("paid")).ok());
    lab.live(records);
    for (int lives = 0; lives < 30; ++lives) lab.live(1 + records % 2);
    give_signal(lab, "end", "2");
    INFO("cut after " << records);
    CHECK(result(lab.live()) == R"({"go":1,"last":2})");
    Names living;
    for (const journal::Record& record : lab.living())
      if (record.kind == Kind::step_done || record.kind == Kind::compensation_done) living.push_back(record.name);
    CHECK(living == Names{"reserve", "pack", "ship"});
    CHECK(lab.recorded({Kind::compensation_done}).size() == 3);   // each is recorded once
  }
}

TEST_CASE("what branches did since the checkpoint is undone too, newest first", "[engine][rollback]") {
  Lab lab(R"(
    local function doing(name, s) return step(name, { undo = function() effect("undo " .. name) end }, function() sleep(s) effect(name) end) end
    doing("first", 1)
    checkpoint "begun"
    parallel {
      a = function() doing("a", 1) receive("never") end,
      b = function() doing("b", 2) receive("never") end,
      c = function() doing("c", 3) end,
    })");
  lab.live();
  REQUIRE(lab.operate(rollback("begun")).ok());
  lab.live();
  CHECK(lab.ledger() == Names{"first", "a", "b", "c", "undo c", "undo b", "undo a", "a", "b", "c"});
}

TEST_CASE("runs that are over are taken back too, as long as nothing before the checkpoint was undone", "[engine][rollback]") {
  SECTION("completed") {
    Lab lab(R"(
      step("a", { undo = function() effect("undo a") end }, function() effect("a") end)
      checkpoint "here"
      step("b", { undo = function() effect("undo b") end }, function() effect("b") end)
      return "done")");
    CHECK(result(lab.live()) == "\"done\"");
    REQUIRE(lab.operate(rollback("here")).ok());
    CHECK(result(lab.live()) == "\"done\"");
    CHECK(lab.ledger() == Names{"a", "b", "undo b", "b"});
  }
  SECTION("aborted") {
    Lab lab("step('a', { undo = function() effect('undo a') end }, function() effect('a') end) checkpoint 'here' "
            "step('b', { undo = function() effect('undo b') end }, function() effect('b') end) receive('end')");
    lab.live();
    REQUIRE(lab.operate(order(Order::Act::abort)).ok());
    REQUIRE(lab.operate(rollback("here")).ok());
    lab.live();
    CHECK(lab.ledger() == Names{"a", "b", "undo b", "b"});
    CHECK(lab.row().status == store::Status::waiting);
  }
  SECTION("failed") {
    Lab lab("step('a', function() effect('a') end) checkpoint 'here' step('b', { undo = function() effect('undo b') end }, "
            "function() effect('b') end) step('c', { retry = 1 }, function() effect('c') fail('no') end)");
    lab.live();
    REQUIRE(lab.operate(rollback("here")).ok());
    CHECK(result(lab.live()) == "failed step_failed: no");
    CHECK(lab.ledger() == Names{"a", "b", "c", "undo b", "b", "c", "undo b"});
  }
  SECTION("failed, and more than that was undone") {
    Lab lab("step('a', { undo = function() end }, function() end) checkpoint 'here' step('b', { retry = 1 }, function() fail('no') end)");
    lab.live();
    CHECK_THAT(refusal(lab.operate(rollback("here"))), Contains("usage") && Contains("has been undone") && Contains("open are: retry, fork"));
  }
}

TEST_CASE("a checkpoint that is none is refused with those that there are", "[engine][rollback]") {
  Lab lab("checkpoint 'one' checkpoint 'two' receive('end')");
  lab.live();
  CHECK(refusal(lab.operate(rollback("tow"))) == "not_found: the run has not come to a checkpoint 'tow': it has 'one', 'two'");
}

TEST_CASE("an undo that fails in a rollback pauses it; resumed, it goes on", "[engine][rollback]") {
  Lab lab(R"(
    checkpoint "here"
    compensate("good", function() effect("good") end)
    compensate("bad", function() effect("bad") if file.exists("no such file") == false and this.attempt < 2 then fail("no", { retry = false }) end end)
    receive("end"))");
  lab.live();
  REQUIRE(lab.operate(rollback("here")).ok());
  CHECK(result(lab.live()) == "paused step_failed: no");
  CHECK(result(lab.live()) == "paused step_failed: no");
  Order skip = order(Order::Act::skip);
  REQUIRE(lab.operate(skip).ok());
  CHECK(result(lab.live()) == "cut");
  CHECK(lab.row().status == store::Status::waiting);
  CHECK(lab.ledger() == Names{"bad", "bad", "good"});
}

TEST_CASE("rollback to before a loop whose snapshots replaced its records", "[engine][rollback]") {
  Lab lab(R"(
    checkpoint "before"
    local total = 0
    loop("l", { times = 30, keep = 2 }, function(i)
      total = total + step("s", { undo = function() end }, function() effect("s") return i end)
      if i == 10 then checkpoint "inside" end
    end)
    receive("end")
    return total)");
  lab.snapshot_due = [] { return true; };
  lab.live();
  CHECK_THAT(refusal(lab.operate(rollback("inside"))), Contains("not_found") && Contains("'before'"));
  REQUIRE(lab.operate(rollback("before")).ok());
  lab.live();
  CHECK(lab.ledger().size() == 60);
  CHECK(lab.recorded({Kind::rollback}).size() == 1);
  give_signal(lab, "end", "1");
  CHECK(result(lab.live()) == "465");
}

TEST_CASE("a retry within a loop goes on from its newest snapshot", "[engine][operator]") {
  Lab lab(R"(
    local total = 0
    loop("l", { times = 40, keep = 2 }, function(i)
      total = total + step("s", { retry = 1 }, function() effect("s") if i == 35 and this.attempt < 2 then fail("no") end return i end)
    end)
    return total)");
  lab.snapshot_due = [] { return true; };
  CHECK(result(lab.live()) == "failed step_failed: no");
  REQUIRE(lab.operate(order(Order::Act::retry)).ok());
  CHECK(result(lab.live()) == "820");
  CHECK(lab.ledger().size() == 41);
}

TEST_CASE("children begun since the checkpoint are cancelled, and begun anew", "[engine][rollback]") {
  Lab lab(R"(
    local parent = workflow { name = "parent" }
    local child = workflow { name = "child" }
    function child.run(input)
      step("work", { undo = function() effect("undo " .. input.n) end }, function() effect("work " .. input.n) end)
      receive("finish")
      return input.n
    end
    function parent.run()
      local first = start("child", { n = 1 })
      checkpoint "begun"
      local second = start("child", { n = 2 })
      receive("end")
      return "over"
    end
    return { parent, child })");
  lab.workflow = "parent";
  lab.live();
  REQUIRE(lab.operate(rollback("begun")).ok());
  lab.live();
  CHECK(lab.ledger() == Names{"work 1", "work 2", "undo 2", "work 2"});
  CHECK(lab.row().status == store::Status::waiting);
  std::vector<std::string> statuses;
  for (const store::RunRow& row : rows_of(lab))
    if (row.workflow == "child") statuses.push_back(std::string(store::status_name(row.status)) + " " + row.input);
  std::sort(statuses.begin(), statuses.end());
  CHECK(statuses == Names{R"(cancelled {"n":2})", R"(waiting {"n":1})", R"(waiting {"n":2})"});
}

TEST_CASE("nobody goes back to within the section of a lock across runs that was given back", "[engine][rollback]") {
  Lab lab(R"(
    step("before", function() effect("before") end)
    lock("shared", { across = "runs" }, function()
      step("inside", function() effect("inside") end)
      checkpoint "inside"
      step("fails", { retry = 1 }, function() if this.attempt < 2 then fail("no") end end)
    end)
    return "done")");
  CHECK(result(lab.live()) == "failed step_failed: no");
  CHECK_THAT(refusal(lab.operate(rollback("inside"))), Contains("held lock 'shared' at the checkpoint"));
  CHECK_THAT(refusal(lab.fork(fork(seq_of(lab, Kind::checkpoint, "inside")))), Contains("two runs can't"));
  REQUIRE(lab.operate(order(Order::Act::retry)).ok());
  CHECK(result(lab.live()) == "\"done\"");
  CHECK(lab.ledger() == Names{"before", "inside", "inside"});
}

TEST_CASE("a rollback gives back the locks across runs that were granted since", "[engine][rollback]") {
  Lab lab(R"(
    checkpoint "outside"
    lock("shared", { across = "runs" }, function()
      step("inside", function() effect("inside") end)
      receive("leave")
    end)
    return "done")");
  lab.live();
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(lab.operate(rollback("outside")).ok());
    CHECK(result(lab.live()) == "cut");
  }
  CHECK(lab.ledger() == Names{"inside", "inside", "inside"});
  give_signal(lab, "leave", "1");
  CHECK(result(lab.live()) == "\"done\"");
}

TEST_CASE("a retry of a run whose child failed goes on with the child's, once that was retried", "[engine][operator]") {
  Lab lab(R"(
    local parent = workflow { name = "parent" }
    local child = workflow { name = "child" }
    function child.run() return step("c", { retry = 1 }, function() effect("c") if this.attempt < 2 then fail("no") end return 5 end) end
    function parent.run() step("p", function() effect("p") end) return call("child") end
    return { parent, child })");
  lab.workflow = "parent";
  CHECK(result(lab.live()) == "failed step_failed: no");
  std::string child;
  for (const store::RunRow& row : rows_of(lab))
    if (row.workflow == "child") child = row.id;
  Lab of_child = lab;
  of_child.id = child;
  REQUIRE(of_child.operate(order(Order::Act::retry)).ok());
  REQUIRE(lab.operate(order(Order::Act::retry)).ok());
  CHECK(result(lab.live()) == "5");   // it takes the child up
  CHECK(lab.ledger() == Names{"p", "c", "c"});
}

TEST_CASE("a fork has the journal of its origin up to a record, and goes on by itself", "[engine][fork]") {
  Lab lab(R"(
    local id = uuid()
    local a = step("a", function() effect("a") return math.random(1000) end)
    local b = step("b", function() effect("b") return "b of " .. (input.who or "nobody") end)
    return { id = id, a = a, b = b, mine = this.id, luck = math.random() })");
  Life origin = lab.live();
  uint64_t at = seq_of(lab, Kind::step_done, "a");
  REQUIRE(lab.fork(fork(at, R"({"who":"ana"})")).ok());
  lab.id = "fork-1";
  Life forked = lab.live();
  CHECK_THAT(result(forked), Contains("\"b\":\"b of ana\"") && Contains("\"mine\":\"fork-1\""));
  auto luck = [](const std::string& text) { return text.substr(text.find("\"id\""), 30) + text.substr(text.find("\"luck\""), 20); };
  CHECK(luck(forked.output) == luck(origin.output));   // the same numbers: what is shared was made with them
  CHECK(lab.ledger() == Names{"a", "b", "b"});
  CHECK(lab.recorded({Kind::operator_act}) == Names{"operator_act fork"});
  CHECK(lab.row().input == R"({"who":"ana"})");
}

TEST_CASE("a fork that cannot be is refused with the reason", "[engine][fork]") {
  Lab lab(R"(
    local w = workflow { input = { n = "integer" } }
    function w.run() step("a", function() end) return 1 end
    return w)");
  lab.input = R"({"n":1})";
  lab.live();
  CHECK_THAT(refusal(lab.fork(fork(9))), Contains("usage") && Contains("it has records 1 to 4"));
  CHECK_THAT(refusal(lab.fork(fork(4))), Contains("record 4 ends it"));
  CHECK_THAT(refusal(lab.fork(fork(2, R"({"n":"x"})"))), Contains("validation"));
  CHECK_THAT(refusal(lab.fork(fork(2, "{"))), Contains("validation"));
  ForkOrder same = fork(2);
  same.id = lab.id;
  CHECK_THAT(refusal(lab.fork(same)), Contains("conflict"));
  CHECK(refusal(lab.fork(fork(3, R"({"n":2})"))) == "ok");
}

TEST_CASE("a run that was taken back and retried can be forked at any of its generations", "[engine][fork]") {
  Lab lab("step('a', function() return 1 end) return step('b', { retry = 1 }, function() effect('b') if this.attempt < 2 then "
          "fail('no') end return this.attempt end)");
  lab.live();
  REQUIRE(lab.operate(order(Order::Act::retry)).ok());
  CHECK(result(lab.live()) == "2");
  uint64_t retry = seq_of(lab, Kind::operator_act, "retry");
  for (uint64_t at = 1; at < lab.row().last_seq; ++at) {
    ForkOrder made = fork(at);
    made.id = "fork-at-" + std::to_string(at);
    Result<store::RunRow> forked = lab.fork(made);
    INFO(at << ": " << refusal(forked));
    if (at == retry - 1) {   // the end of the first generation
      CHECK_FALSE(forked.ok());
      continue;
    }
    REQUIRE(forked.ok());
    Lab of_fork = lab;
    of_fork.id = made.id;
    CHECK(result(of_fork.live()) == (at < retry ? "failed step_failed: no" : "2"));
  }
}
