// state: what scripts read and write, views of branches and their merging, what the journal says of it, and that all of it
// is the same when the run is cut after each record in turn.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "runtime/flow/state_records.hpp"
#include "tests/unit/engine/harness.hpp"

namespace perilune::engine {
namespace {

using Catch::Contains;
using Catch::StartsWith;

std::string published(Lab& lab) { return flow::state_after(lab.living()); }

// The outcome and the state as one text; straight, and after a cut at each record.
std::string outcome(const std::string& script) {
  Lab straight(script);
  std::string expected = result(straight.live());
  expected += " " + published(straight);
  uint64_t records = straight.journal().size();
  for (uint64_t cut = 1; cut < records; ++cut) {
    Lab lab(script);
    lab.live(cut);
    std::string after = result(lab.live());
    after += " " + published(lab);
    if (after != expected) return "cut at record " + std::to_string(cut) + ": " + after + " in place of " + expected;
  }
  return expected;
}

std::vector<std::string> changes(Lab& lab) {
  std::vector<std::string> texts;
  for (const journal::Record& record : lab.journal())
    if (record.kind == journal::Kind::state_changed) texts.push_back(record.data);
  return texts;
}

}  // namespace

TEST_CASE("state is a table that lasts: keys, lists, tables within", "[state]") {
  CHECK(outcome(R"(
    state.total = 1
    state.total = state.total + 1.5
    state.cart = { items = {} }
    table.insert(state.cart.items, { sku = "a", n = 1 })
    state.cart.items[2] = { sku = "b", n = 2 }
    state.cart.items[1].n = 7
    state.gone = true
    step("s", function() return 1 end)
    state.gone = nil
    local names = {}
    for k, v in pairs(state) do names[#names + 1] = k end
    for i, item in ipairs(state.cart.items) do names[#names + 1] = i .. item.sku .. item.n end
    return { names = table.concat(names, " "), count = #state.cart.items, none = next(state.cart.items[1]), raw = rawget(state, "total") }
  )") == R"({"count":2,"names":"cart total 1a7 2b2","none":"n","raw":2.5} )"
         R"({"cart":{"items":[{"n":7,"sku":"a"},{"n":2,"sku":"b"}]},"total":2.5})");
}

TEST_CASE("what is assigned is a copy, and what has been replaced refuses writes", "[state]") {
  CHECK(outcome(R"(
    local mine = { n = 1 }
    state.a = mine
    mine.n = 2
    local a = state.a
    state.b = a
    a.n = 3
    state.a = { n = 4 }
    local ok, e = pcall(function() a.n = 5 end)
    return { a = state.a.n, b = state.b.n, old = a.n, why = e.message, same = state.b == state.b }
  )") == R"({"a":4,"b":1,"old":3,"same":true,"why":"state.a has been replaced since this table was taken from it: take it from `state` again"} )"
         R"({"a":{"n":4},"b":{"n":1}})");
}

TEST_CASE("plain data alone, with the place of what is none", "[state]") {
  CHECK_THAT(result("state.f = print"), Contains("validation: state.f: a function can't be saved"));
  CHECK_THAT(result("state.t = { a = { print } }"), Contains("state.t.a[1]: a function can't be saved"));
  CHECK_THAT(result("state.t = {} state.t.u = { a = print }"), Contains("state.t.a: a function can't be saved"));
  CHECK_THAT(result("state.n = 0/0"), Contains("state.n: NaN can't be saved"));
  CHECK_THAT(result("state[1] = 2"), Contains("keys of state are strings"));
  CHECK_THAT(result("state.t = {} state.t[{}] = 1"), Contains("state.t: keys are strings or whole numbers from 1"));
  // A list with holes is noticed when the script goes on without it.
  CHECK_THAT(result("state.t = {} state.t[3] = 1 sleep(1)"), Contains("validation: state.t: an array with a hole"));
  CHECK_THAT(result("state.t = {} state.t[3] = 1"), Contains("failed validation: state.t: an array with a hole"));
  CHECK(result("state.t = {} for i = 3, 1, -1 do state.t[i] = i end sleep(1) return state.t") == "[1,2,3]");
  CHECK_THAT(result("state = {}"), Contains("belongs to the API"));
}

TEST_CASE("state is plain data for whoever takes it", "[state]") {
  CHECK(result("state.a = { 1, { b = 2 } } return state") == R"({"a":[1,{"b":2}]})");
  CHECK(result("state.a = { 1, { b = 2 } } return { a = state.a, again = state }") == R"({"a":[1,{"b":2}],"again":{"a":[1,{"b":2}]}})");
  CHECK(result("state.a = { x = 1 } state.a.y = 2 return json.encode(state)") == R"("{\"a\":{\"x\":1,\"y\":2}}")");
  CHECK(result("state.a = {} state.a.b = json.null return step('s', function() return state.a end)") == R"({"b":null})");
}

TEST_CASE("in a step state is read-only", "[state]") {
  CHECK(result(R"(state.n = { 1 } return step("s", { retry = 1 }, function()
      local ok, e = pcall(function() state.n[2] = 2 end)
      local ok2, e2 = pcall(function() state.m = 2 end)
      return { e.code, e2.message == e.message, #state.n } end))") == R"(["usage",true,1])");
  CHECK_THAT(result("step('s', { retry = 1 }, function() state.m = 2 end)"), Contains("state is read-only inside a step"));
}

TEST_CASE("each commit makes known what has changed, and nothing else", "[state]") {
  Lab lab(R"(
    state.a = 1 state.b = { 1 }
    step("one", function() return 1 end)
    state.b[2] = 2
    step("two", function() return 1 end)
    state.a = 1
    step("three", function() return 1 end)
    state.b = nil)");
  lab.live();
  CHECK(changes(lab) == std::vector<std::string>{R"({"set":{"a":1,"b":[1]}})", R"({"set":{"b":[1,2]}})", R"({"set":{},"removed":["b"]})"});
  // It stands before the outcome that follows it.
  CHECK(lab.recorded({journal::Kind::state_changed, journal::Kind::step_done, journal::Kind::run_done}).front() == "state_changed ");
}

TEST_CASE("a run that waits has made its state known", "[state]") {
  Lab lab("state.phase = 'asking' receive('go') state.phase = 'going' receive('on')");
  lab.live();
  CHECK(published(lab) == R"({"phase":"asking"})");
}

TEST_CASE("a run without state has no records of it", "[state]") {
  Lab lab("return { step('s', function() return state.nothing == nil end), next(state) == nil }");
  CHECK(result(lab.live()) == "[true,true]");
  CHECK(changes(lab).empty());
}

TEST_CASE("branches have views of their own, which merge key by key at the join", "[state]") {
  CHECK(outcome(R"(
    state.shared = { n = 1 } state.gone = 1
    local seen = {}
    parallel {
      a = function() state.a = state.shared.n sleep(1) state.shared.n = 2 seen.a = state.b end,
      b = function() state.b = 5 state.gone = nil sleep(2) seen.b = state.shared.n end,
    }
    seen.after = state.shared.n
    return seen
  )") == R"({"after":2,"b":1} {"a":1,"b":5,"shared":{"n":2}})");
}

TEST_CASE("two branches that set one key: an error, the last one, or a function", "[state]") {
  const std::string two = "function() sleep(1) state.x = { 1 } end, function() state.x = { 2 } end";
  CHECK_THAT(outcome("parallel { " + two + " }"), Contains("conflict: state.x was set by two branches, to [2] and to [1]"));
  CHECK(outcome("parallel({ " + two + " }, { merge = 'last' }) return state.x[1]") == R"(1 {"x":[1]})");
  CHECK(outcome("parallel({ " + two + " }, { merge = function(k, a, b) return k .. a[1] .. b[1] end })") == R"(null {"x":"x21"})");
  CHECK(outcome("parallel({ " + two + " }, { merge = function() return nil end })") == "null {}");
  CHECK_THAT(outcome("parallel({ " + two + " }, { merge = function(k, a, b) return print end })"), Contains("what merge gave for state.x"));
  CHECK_THAT(outcome("parallel({ " + two + " }, { merge = function() error('no idea') end })"), Contains("no idea"));
  CHECK_THAT(outcome("parallel({ " + two + " }, { merge = function() sleep(1) end })"), Contains("not_yieldable"));
  CHECK_THAT(outcome("parallel({ " + two + " }, { merge = 'first' })"), Contains("\"error\", \"last\" or a function"));
  // The same value is no conflict, nor is what is set before and after.
  CHECK(outcome("parallel { function() state.x = 1 end, function() state.x = 1 end } state.x = 2") == R"(null {"x":2})");
  CHECK(outcome("map({ 1, 2, 3 }, { merge = function(k, a, b) return a + b end }, function(i) state.sum = i end) return state.sum") == R"(6 {"sum":6})");
}

TEST_CASE("a cancelled branch has set nothing, a failed one has", "[state]") {
  CHECK(outcome(R"(
    race { function() state.slow = 1 sleep(9) end, function() sleep(1) state.quick = 1 end }
    pcall(parallel, { function() state.failed = 1 sleep(1) error("no") end, function() state.sibling = 1 sleep(9) end })
    local r = parallel({ function() state.kept = 1 error("no") end, function() state.done = 1 end }, { fail = "collect" })
    local t = spawn("t", function() state.task = 1 sleep(9) end)
    sleep(1) t:cancel() pcall(t.await, t)
    return state.task == nil
  )") == R"(true {"done":1,"failed":1,"kept":1,"quick":1})");
}

TEST_CASE("spawned tasks, members and what is left to the run merge when they end", "[state]") {
  CHECK(outcome(R"(
    state.n = 0
    local t = spawn("t", function() state.t = state.n sleep(1) end)
    state.n = 1
    local early = state.t
    t:await()
    local u = spawn("u", function() state.n = state.n + 10 end)
    u:await()
    local g = group { merge = "last" }
    g:add(function() sleep(2) state.g = "slow" end) g:add(function() state.g = "quick" end) g:close() g:wait()
    parallel({ function() end, function() sleep(5) state.left = "late" end }, { need = 1, rest = "keep" })
    return { early = early == nil, n = state.n, g = state.g, left = state.left == nil }
  )") == R"({"early":true,"g":"slow","left":true,"n":11} {"g":"slow","left":"late","n":11,"t":0})");
  CHECK_THAT(outcome("local t = spawn('t', function() sleep(1) state.x = 1 end) state.x = 2 t:await()"),
             StartsWith("failed conflict: state.x was set by two branches, to 2 and to 1"));
}

TEST_CASE("a table of another task's state refuses writes", "[state]") {
  CHECK_THAT(result("state.a = {} local a = state.a parallel { function() state.b = 1 a.x = 1 end }"),
             Contains("state.a belongs to another task"));
  CHECK(result("state.a = { 1 } local a = state.a return parallel { function() return a[1] end }") == "[1]");
}

TEST_CASE("branches within branches, guards and loops side by side", "[state]") {
  CHECK(outcome(R"(
    parallel { function()
      parallel { function() state.a = 1 sleep(1) end, function() state.b = 2 end }
      state.c = state.a + state.b
    end }
    guard(function() return true end, function() state.guarded = state.c sleep(1) end)
    loop("l", { each = { 1, 2, 3 }, limit = 2 }, function(x) state["k" .. x] = x end)
    return state.k3
  )") == R"(3 {"a":1,"b":2,"c":3,"guarded":3,"k1":1,"k2":2,"k3":3})");
}

TEST_CASE("rollback brings the state back, a saga if it is asked to", "[state]") {
  CHECK(outcome(R"(
    state.n = 1
    checkpoint "one"
    state.n = 2 state.more = { 1 }
    step("s", { undo = function() effect("n was " .. state.n) end }, function() return 1 end)
    rollback "one"
    local back = { state.n, state.more == nil }
    pcall(saga, function() state.n = 5 error("no") end, { state = "restore" })
    back[3] = state.n
    pcall(saga, function() state.n = 6 error("no") end)
    back[4] = state.n
    rollback()
    back[5] = state.n == nil
    return back
  )") == "[1,true,1,6,true] {}");
  CHECK_THAT(result("saga(print, { state = 'keeps' })"), Contains("\"keep\" \"restore\""));
}

TEST_CASE("an operator's rollback and a retry bring the state back", "[state]") {
  Lab lab(R"(
    workflow { on_error = "pause" }
    state.n = 1
    checkpoint "one"
    state.n = 2
    step("s", { undo = function() effect("undo with " .. state.n) end }, function() return 1 end)
    state.n = 3
    step("fails", { retry = 1 }, function() if outside("fixed") == nil then error("no") end end)
    return state.n)");
  CHECK(lab.live().status == store::Status::paused);
  CHECK(published(lab) == R"({"n":3})");
  Order order;
  order.act = Order::Act::rollback;
  order.checkpoint = "one";
  order.by = "ana";
  REQUIRE(lab.operate(order).ok());
  lab.live();
  CHECK(lab.ledger() == std::vector<std::string>{"undo with 3"});
  CHECK(published(lab) == R"({"n":3})");   // it has come there again
  lab.outside["fixed"] = "1";
  CHECK(result(lab.live()) == "3");
}

TEST_CASE("a loop's snapshot holds the state", "[state]") {
  const std::string script = R"(
    state.before = { 1 }
    checkpoint "before"
    loop("l", { times = 6, keep = 1 }, function(i)
      state.sum = (state.sum or 0) + i
      state.list = state.list or {}
      table.insert(state.list, i)
      state["k" .. i] = i
      state["k" .. i - 1] = nil
      if i == 3 then checkpoint "third" end
      step("s" .. i, function() return i end)
    end)
    local sum, count = state.sum, #state.list
    rollback "third"
    local third = state.sum
    rollback "before"
    return { sum, count, third, #state.before, state.sum == nil })";
  for (bool saved : {true, false}) {
    Lab straight(script);
    straight.snapshot_due = [saved] { return saved; };
    CHECK(result(straight.live()) == "[21,6,6,1,true]");
    CHECK(published(straight) == R"({"before":[1]})");
    uint64_t records = straight.journal().back().seq;
    for (uint64_t cut = 1; cut < records; ++cut) {
      Lab lab(script);
      lab.snapshot_due = [saved] { return saved; };
      lab.live(cut);
      INFO("cut at " << cut);
      CHECK(result(lab.live()) == "[21,6,6,1,true]");
      CHECK(published(lab) == R"({"before":[1]})");
    }
  }
}

TEST_CASE("changes of the state as a record's data, and back", "[state]") {
  flow::StateMap changes;
  changes["a \"quoted\" key"] = std::make_shared<const std::string>(R"({"x":[1,2.0,"],}"]})");
  changes["gone"] = nullptr;
  std::string json = flow::changes_json(changes);
  CHECK(json == R"({"set":{"a \"quoted\" key":{"x":[1,2.0,"],}"]}},"removed":["gone"]})");
  flow::StateMap read = flow::read_changes(json);
  REQUIRE(read.size() == 2);
  CHECK(*read["a \"quoted\" key"] == R"({"x":[1,2.0,"],}"]})");
  CHECK(read["gone"] == nullptr);
}

}  // namespace perilune::engine
