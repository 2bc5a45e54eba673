// parallel, race and map: results, options, errors and cancellation.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;

namespace {
// Branches for the scripts below: ok(value, seconds), bad(message, seconds).
std::string with_branches(const std::string& rest) {
  return R"(
    local function ok(value, seconds) return function() sleep(seconds) effect("ok " .. value) return value end end
    local function bad(message, seconds) return function() sleep(seconds) error(message, 0) end end
    )" + rest;
}
Life go(const std::string& rest) { return run(with_branches(rest)); }
std::string got(const std::string& rest) { return result(go(rest)); }
}  // namespace

TEST_CASE("parallel gives the results back under the same keys", "[flow][parallel]") {
  CHECK(got("return parallel { a = ok('x', 2), b = ok('y', 1) }") == R"({"a":"x","b":"y"})");
  CHECK(got("return parallel { ok('x', 2), ok('y', 1) }") == R"(["x","y"])");
  CHECK(got("local r, info = parallel { ok('x', 2), ok('y', 1) } return info") ==
        R"({"cancelled":0,"done":2,"failed":0,"order":[2,1],"reason":"all","total":2})");
  CHECK(got("local r, info = parallel { a = ok('x', 2), b = ok('y', 1) } return info.order") == R"(["b","a"])");
  CHECK(go("return parallel { ok('x', 3), ok('y', 3), ok('z', 3) }").seconds() < 3.1);
}

TEST_CASE("parallel of nothing gives nothing, a nil result leaves its key out", "[flow][parallel]") {
  CHECK(got("local r, info = parallel {} return { next(r) == nil, info.total, info.reason }") == R"([true,0,"all"])");
  CHECK(got("return parallel { a = function() end, b = ok(1, 0) }") == R"({"b":1})");
  CHECK(got("local r, info = parallel { function() end, ok(2, 0) } return { r[1] == nil, r[2], info.done }") ==
        "[true,2,2]");
  CHECK(got("return parallel { function() return false end }") == "[false]");
}

TEST_CASE("what branches return need not be data: it stays in the run", "[flow][parallel]") {
  CHECK(got("local t = {} local r = parallel { function() return t end, function() return print end } return { r[1] == "
            "t, r[2] == print }") == "[true,true]");
}

TEST_CASE("parallel takes a name first", "[flow][parallel]") {
  Lab lab(with_branches("return parallel('both', { ok('x', 1), ok('y', 1) }, { limit = 1 })"));
  CHECK(result(lab.live()) == R"(["x","y"])");
  CHECK(lab.recorded({journal::Kind::scope_opened}) == std::vector<std::string>{"scope_opened both"});
}

TEST_CASE("the journal tells of each branch: which, when, and what it gave, if that is short", "[flow][parallel]") {
  Lab lab(with_branches("parallel('both', { a = ok('x', 1), b = function() return ('y'):rep(2000) end,\n"
                        "  c = function() fail('no', { code = 'mine' }) end }, { limit = 1, tolerate = 1 })\n"
                        "parallel('none', {})"));
  CHECK(result(lab.live()) == "null");
  std::vector<std::string> seen;
  for (const journal::Record& record : lab.journal())
    if (record.kind >= journal::Kind::scope_opened && record.kind <= journal::Kind::branch_joined)
      seen.push_back(record.task + " " + std::string(kind_name(record.kind)) + " " + record.name + " " +
                     record.data.substr(0, 36));
  CHECK(seen == std::vector<std::string>{
                    R"(0 scope_opened both {"call":"parallel","total":3})", R"(0.1 branch_started "a" {"scope":1})",
                    R"(0.1 branch_done "a" {"scope":1,"value":"x"})", R"(0.2 branch_started "b" {"scope":1})",
                    R"(0.2 branch_done "b" {"scope":1})", R"(0.3 branch_started "c" {"scope":1})",
                    R"(0.3 branch_done "c" {"scope":1,"error":{"code":"mine","m)",
                    R"(0 branch_joined both {"reason":"tolerated","done":2,"fail)",
                    R"(0 scope_opened none {"call":"parallel","total":0})",
                    R"(0 branch_joined none {"reason":"all","done":0,"failed":0,)"});
}

TEST_CASE("limit lets so many branches run at once", "[flow][parallel]") {
  Life life = go("return parallel({ ok(1, 3), ok(2, 1), ok(3, 1), ok(4, 1) }, { limit = 2 })");
  CHECK(result(life) == "[1,2,3,4]");
  CHECK(life.seconds() == Approx(3).margin(0.1));
  CHECK(life.effects == std::vector<std::string>{"ok 2", "ok 3", "ok 1", "ok 4"});
}

TEST_CASE("need goes on when so many succeeded, and cancels the rest", "[flow][parallel]") {
  Life life =
      go("local r, info = parallel({ ok('a', 1), ok('b', 5), ok('c', 2), bad('d', 1) }, { need = 2 }) return { r[1], "
         "r[2] == nil, r[3], info }");
  CHECK(result(life) ==
        R"(["a",true,"c",{"cancelled":1,"done":2,"failed":1,"order":[1,4,3],"reason":"need","total":4}])");
  CHECK(life.seconds() == Approx(2).margin(0.1));
}

TEST_CASE("a need that can't be met fails at once, with info as its data", "[flow][parallel]") {
  Life life = go("return parallel({ bad('d', 1), bad('e', 1), ok('a', 50) }, { need = 2 })");
  CHECK(life.status == store::Status::failed);
  CHECK(life.error.code == "step_failed");
  CHECK_THAT(life.error.message, Contains("need 2 can no longer be met"));
  CHECK(life.seconds() < 1.5);
  CHECK(life.error.suppressed.size() == 2);
  CHECK(got("local ok, e = pcall(parallel, { bad('d', 1), ok('a', 50) }, { need = 2 }) return { e.data.failed, "
            "e.data.cancelled, e.data.total }") == "[1,1,2]");
  Life over = go("return parallel({ ok('a', 1) }, { need = 2 })");
  CHECK_THAT(over.error.message, Contains("need 2"));
  CHECK(over.effects.empty());
}

TEST_CASE("rest = keep leaves the rest to the background of the run", "[flow][parallel]") {
  Life life =
      go("local r, info = parallel({ ok('a', 1), ok('b', 5), ok('c', 7) }, { need = 1, rest = 'keep' }) "
         "effect('joined') return { r[1], r[2] == nil, info }");
  CHECK(result(life) == R"(["a",true,{"cancelled":0,"done":1,"failed":0,"order":[1],"reason":"need","total":3}])");
  CHECK(life.effects == std::vector<std::string>{"ok a", "joined", "ok b", "ok c"});
  CHECK(life.seconds() == Approx(7).margin(0.1));  // a run ends after its tasks
  life = go("local r = parallel({ ok('a', 1), ok('b', 5) }, { need = 1, rest = 'keep', limit = 1 }) return r");
  CHECK(life.effects == std::vector<std::string>{"ok a", "ok b"});  // what has not begun begins there
}

TEST_CASE("collect lets every branch end and gives what became of each", "[flow][parallel]") {
  CHECK(
      got("local r, info = parallel({ a = ok('x', 3), b = bad('no', 1) }, { fail = 'collect' }) "
          "return { r.a.ok, r.a.value, r.b.ok, r.b.error.message, r.b.error.code, info }") ==
      R"([true,"x",false,"no","script",)"
        R"({"cancelled":0,"done":1,"failed":1,"order":["b","a"],"reason":"all","total":2}])");
  Life life =
      go("return parallel({ ok('x', 9), bad('no', 1) }, { fail = 'collect', need = 2 })");  // the rest runs on first
  CHECK_THAT(life.error.message, Contains("need 2"));
  CHECK(life.seconds() == Approx(9).margin(0.1));
}

TEST_CASE("tolerate lets so many branches fail, as a number or a share", "[flow][parallel]") {
  CHECK(got("local r, info = parallel({ ok(1, 1), bad('no', 1), ok(3, 1) }, { tolerate = 1 }) return { r[1], r[2] == "
            "nil, r[3], info.reason, info.failed }") == R"([1,true,3,"tolerated",1])");
  CHECK(got("local r, info = parallel({ ok(1, 1) }, { tolerate = 1 }) return info.reason") == "\"all\"");
  Life life = go("return parallel({ bad('one', 1), bad('two', 2), ok(3, 50) }, { tolerate = 1 })");
  CHECK_THAT(life.error.message, Contains("more than 1"));
  CHECK(life.error.suppressed.size() == 2);
  CHECK(life.seconds() < 3);
  CHECK(got("local r, info = map({ 1, 2, 3, 4, 5 }, { tolerate = '20%' }, function(x) if x == 2 then error('no') end "
            "return x end) return info.reason") == "\"tolerated\"");
  CHECK_THAT(
      got("return map({ 1, 2, 3, 4 }, { tolerate = '20%' }, function(x) if x == 2 then error('no') end return x end)"),
      Contains("more than 0"));
  CHECK_THAT(got("return parallel({ bad('no', 1) }, { tolerate = 0 })"), Contains("more than 0"));
}

TEST_CASE("each is called as each branch arrives", "[flow][parallel]") {
  CHECK(got("local seen = {} parallel({ a = ok('x', 2), b = ok('y', 1) }, { each = function(k, v) seen[#seen + 1] = k "
            ".. v end }) return seen") == R"(["by","ax"])");
  CHECK(got("local seen = {} map({ 5, 6 }, { each = function(i, v) seen[i] = v end }, function(x) return x * 2 end) "
            "return seen") == "[10,12]");
  CHECK_THAT(got("return parallel({ ok(1, 1) }, { each = function() error('each broke') end })"),
             Contains("each broke"));
}

TEST_CASE("the first error cancels the siblings, waits for them and is raised; the others are suppressed",
          "[flow][parallel]") {
  Life life = go(R"(
    return parallel {
      function() step("s", { retry = 1 }, function() work("w", 60) end) end,
      bad("first", 1),
      function() local ok, e = pcall(sleep, 60) error("in cleanup", 0) end,
      ok("never", 60),
    })");
  CHECK(result(life) == "failed script: first");
  CHECK(life.effects == std::vector<std::string>{"w", "cancelled w"});
  REQUIRE(life.error.suppressed.size() == 1);
  CHECK(life.error.suppressed[0].message == "in cleanup");
  CHECK(life.seconds() < 1.5);
}

TEST_CASE("an error that is no text arrives as an error object", "[flow][parallel]") {
  CHECK(got("local ok, e = pcall(parallel, { function() error({ code = 'mine', message = 'm' }) end }) return { "
            "e.code, e.message }") == R"(["mine","m"])");
  CHECK(got("local ok, e = pcall(parallel, { function() fail('m', { code = 'mine', data = { x = 1 } }) end }) return { "
            "e.code, e.data.x }") == R"(["mine",1])");
}

TEST_CASE("race is won by the first to finish, well or badly", "[flow][parallel]") {
  CHECK(got("local v, k = race { fast = ok('f', 1), slow = ok('s', 2) } return { v, k }") == R"(["f","fast"])");
  CHECK(got("local v, k = race { ok('s', 2), ok('f', 1) } return { v, k }") == R"(["f",2])");
  CHECK(got("return race { bad('lost', 1), ok('s', 2) }") == "failed script: lost");
  Life life = go("local v, k = race { function() work('w', 9) end, ok('f', 1) } effect('over') return k");
  CHECK(result(life) == "2");
  CHECK(life.effects == std::vector<std::string>{"w", "ok f", "cancelled w", "over"});  // losers are waited for
  CHECK(got("local v, k = race('r', { function() end }) return { v == nil, k }") == "[true,1]");
  CHECK_THAT(got("return race {}"), StartsWith("failed usage"));
}

TEST_CASE("map keeps the order of its items and takes the options of parallel", "[flow][parallel]") {
  CHECK(got("return map({ 3, 1, 2 }, function(x, i) sleep(x) return x * 10 + i end)") == "[31,12,23]");
  CHECK(go("return map({ 1, 1, 1, 1 }, { limit = 2 }, function(x) sleep(x) end)").seconds() == Approx(2).margin(0.1));
  CHECK(got("return map({}, function() end)") == "[]");
  CHECK(got("local r, info = map({ 'a', 'b' }, { name = function(x, i) return x .. i end }, function(x) return x end) "
            "return info.order") == R"(["a1","b2"])");
  CHECK(got("return map('named', { 1 }, function(x) return x end)") == "[1]");
  CHECK(got("local r, info = map({ 1, 2, 3 }, { need = 1 }, function(x) sleep(x) return x end) return { r[1], "
            "info.cancelled }") == "[1,2]");
}

TEST_CASE("parallel, race and map nest", "[flow][parallel]") {
  CHECK(got(R"(
    return parallel {
      a = function() return map({ 1, 2 }, function(x) return parallel { n = ok(x, x) } end) end,
      b = function() return (race { ok("r", 1), ok("s", 9) }) end,
    })") == R"({"a":[{"n":1},{"n":2}],"b":"r"})");
  Life life =
      go("return parallel { function() parallel { function() map({ 1 }, function() work('deep', 60) end) end } end, "
         "bad('no', 1) }");
  CHECK(life.effects == std::vector<std::string>{"deep", "cancelled deep"});
  CHECK(life.error.message == "no");
}

TEST_CASE("wrong arguments of parallel, race and map are refused with what would be right", "[flow][parallel]") {
  struct Case {
    const char* call;
    const char* message;
  };
  const Case cases[] = {
      {"parallel(5)", "table of functions"},
      {"parallel { a = 5 }", "'a' must be a function"},
      {"parallel({}, { limt = 2 })", "did you mean 'limit'"},
      {"parallel({}, { limit = 0 })", "at least 1"},
      {"parallel({}, { need = 0 })", "at least 1"},
      {"parallel({}, { fail = 'slow' })", "one of"},
      {"parallel({}, { rest = 'keep' })", "need"},
      {"parallel({}, { tolerate = '20' })", "20%"},
      {"parallel({}, { tolerate = -1 })", "at least 0"},
      {"parallel({}, { each = 5 })", "each"},
      {"parallel({}, { merge = 'latest' })", "merge"},
      {"race({}, {})", "branch"},
      {"map({ 1 })", "function"},
      {"map(5, function() end)", "list"},
      {"map({ 1 }, { name = 'x' }, function() end)", "name"},
      {"map({ 1 }, { name = function() return 5 end }, function() end)", "string"},
  };
  for (const Case& c : cases) {
    Life life = run(std::string("return ") + c.call);
    INFO(c.call << " -> " << result(life));
    CHECK(life.error.code == "usage");
    CHECK_THAT(life.error.message, Contains(c.message));
  }
}

TEST_CASE("branches that share variables end the same after a crash at any record", "[flow][parallel]") {
  const std::string script = with_branches(R"(
    local seen, total = {}, 0
    local function see(key, n) seen[key] = true total = total + n end
    local r, info = parallel({
      function() see("a", step("a", function() effect("a") sleep(2) return 1 end)) sleep(3) see("a2", 10) end,
      function() see("b", step("b", function() effect("b") sleep(1) return 100 end)) return math.random(1000) end,
      function() for i = 1, 3 do sleep(1) see("c" .. i, 1000) end end,
      function() step("d", { retry = 1 }, function() sleep(1) error("no") end) end,
    }, { tolerate = 1 })
    return { seen, total, r[2], info.failed })");
  std::string whole = result(run(script));
  CHECK_THAT(whole, StartsWith("["));
  for (uint64_t records = 1; records < 40; ++records) {
    Lab lab(script);
    Life life = lab.live(records);
    if (!life.ended) life = lab.live();
    INFO("cut after record " << records);
    CHECK(result(life) == whole);
  }
}
