// sequential and concurrent: workflows made of named steps. What their tables may say, in what order steps run, and that a
// run which is cut after each record in turn comes to the same end.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>

#include "runtime/base/random.hpp"
#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;
using journal::Kind;
using Names = std::vector<std::string>;

namespace {

// The step does work(name, seconds), which takes so long.
const std::string k_work = "local function takes(name, s) return function() return work(name, s) end end\n";

size_t count_of(const Names& names, const std::string& name) {
  return static_cast<size_t>(std::count(names.begin(), names.end(), name));
}

// What is wrong when the script is cut after each record in turn: nothing, if the result is always `expected`, and no step
// whose outcome was recorded runs once more for it.
std::string wrong_when_cut(const std::string& script, const std::string& expected) {
  Lab whole(script);
  Life straight = whole.live();
  if (result(straight) != expected) return result(straight);
  uint64_t records = whole.journal().size();
  for (uint64_t cut = 1; cut < records; ++cut) {
    Lab lab(script);
    lab.live(cut);
    Names done = lab.recorded({Kind::step_done});
    Life second = lab.live();
    std::string where = "cut after record " + std::to_string(cut) + ": ";
    if (result(second) != expected) return where + result(second);
    for (const std::string& effect : second.effects)
      if (count_of(second.effects, effect) + count_of(done, "step_done " + effect) > count_of(straight.effects, effect))
        return where + effect + " ran again";
  }
  return "";
}

struct Graph {
  std::string script, expected;
};

// Steps in any order, with needs, skips, a limit, quiescent joins and ways back. What it gives does not depend on what ends
// first: the result of a step is the number of ways that lead to it, so that one which began too early shows.
Graph random_graph(Random& random) {
  auto chance = [&](uint64_t percent) { return random.below(100) < percent; };
  const size_t count = 3 + random.below(6);
  std::vector<int> ways(count);   // 0 = skipped
  Names steps;
  std::string results, skipped;
  for (size_t i = 0; i < count; ++i) {
    std::string name = "s" + std::to_string(i), needs, back = name;
    bool led = true;
    for (size_t j = 0; j < i; ++j) {
      if (!chance(35)) continue;
      led = needs.empty() ? ways[j] > 0 : led || ways[j] > 0;
      needs += "'s" + std::to_string(j) + "', ";
      ways[i] += ways[j];
      back = "s" + std::to_string(j);
    }
    bool skip = chance(15);
    ways[i] = led && !skip ? ways[i] + 1 : 0;
    std::string& told = ways[i] > 0 ? results : skipped;
    told += (told.empty() ? "\"" : ",\"") + name + "\":" + (ways[i] > 0 ? std::to_string(ways[i]) : "true");
    steps.push_back("{ '" + name + "', needs = { " + needs + "}, run = takes('" + name + "', " +
                    std::to_string(1 + random.below(5)) + ")" + (skip ? ", when = false" : "") +
                    (chance(25) ? ", join = 'quiescent'" : "") +
                    (chance(20) ? ", back = { '" + back + "', when = function() return once('" + name + "') end }" : "") +
                    " },\n");
  }
  std::string table = chance(50) ? "limit = " + std::to_string(1 + random.below(3)) + ",\n" : "";
  while (!steps.empty()) {
    size_t at = random.below(steps.size());
    table += steps[at];
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return {R"(
local seen = {}
local function once(name) local first = not seen[name] seen[name] = true return first end
local function takes(name, s)
  return function(needs)
    work(name, s)
    local ways = 1
    for _, n in pairs(needs) do ways = ways + n end
    return ways
  end
end
return concurrent {
)" + table + "outputs = function(results, flow) return { results, flow.skipped } end }",
          "[{" + results + "},{" + skipped + "}]"};
}

std::string refusal(const std::string& call) {
  Life life = run("return " + call);
  return life.refused ? life.error.message : "not refused";
}

}  // namespace

TEST_CASE("concurrent runs each step when all that it needs is done, with their results", "[flow][steps]") {
  const std::string script = k_work + R"(
    return concurrent {
      { "sum", needs = { "left", "right" }, run = function(needs) return needs.left .. needs.right end },
      { "left", needs = { "fetch" }, run = takes("left", 2) },
      { "right", needs = { "fetch" }, run = takes("right", 1) },
      { "fetch", run = takes("fetch", 1) },
      { "alone", run = takes("alone", 5) },
      outputs = function(results) return results.sum end,
    })";
  Lab lab(script);
  CHECK(result(lab.live()) == R"("leftright")");
  CHECK(lab.recorded({Kind::step_done}) == Names{"step_done fetch", "step_done right", "step_done left", "step_done sum",
                                                 "step_done alone"});
  CHECK(run(script).seconds() < 5.1);   // as wide as the needs allow
  CHECK(wrong_when_cut(script, R"("leftright")") == "");
}

TEST_CASE("no ready step waits while a slot is free, and never are more than `limit` under way", "[flow][steps]") {
  const std::string script = k_work + R"(
    return concurrent {
      limit = 2,
      { "a", run = takes("a", 4) }, { "b", run = takes("b", 1) }, { "c", run = takes("c", 1) },
      { "d", needs = { "b" }, run = takes("d", 2) }, { "e", needs = { "a" }, run = takes("e", 1) },
      outputs = function() return now() - this.started_at end,
    })";
  Life life = run(script);
  CHECK(life.effects == Names{"a", "b", "c", "d", "e"});   // c, ready from the start, before d
  CHECK(life.seconds() < 5.2);                             // a + e; b, c and d beside a
  CHECK(life.seconds() >= 5);
}

TEST_CASE("without `outputs` a workflow gives the results of the steps that ran", "[flow][steps]") {
  CHECK(result("return concurrent { { 'a', run = function() return 1 end }, { 'b', when = false, run = print }, "
               "{ 'c', sleep = '2s' } }") == R"({"a":1})");
  CHECK(result("return sequential { { 'a', shell = { 'echo', 'x' } , when = false }, { 'b', run = function() return 2 end } }") ==
        R"({"b":2})");
}

TEST_CASE("a skipped step says so to those that need it: one way that led there is enough", "[flow][steps]") {
  const std::string script = R"(
    return concurrent {
      { "a", run = function() return 1 end },
      { "b", needs = { "a" }, when = function(needs) return needs.a > 1 end, run = function() end },
      { "c", needs = { "b" }, run = function() effect("c") end },
      { "d", needs = { "a", "c" }, run = function(needs, attempt, flow)
        return tostring(needs.a) .. tostring(needs.c) .. tostring(flow.skipped.b) .. tostring(flow.skipped.c) end },
      outputs = function(results) return results.d end,
    })";
  Lab lab(script);
  Life life = lab.live();
  CHECK(result(life) == R"("1niltruetrue")");
  CHECK(life.effects.empty());
  CHECK(lab.recorded({Kind::step_skipped}) == Names{"step_skipped b", "step_skipped c"});
  CHECK(wrong_when_cut(script, R"("1niltruetrue")") == "");
}

TEST_CASE("the way back does a step and all after it again; what is under way there does not count", "[flow][steps]") {
  const std::string script = k_work + R"(
    local n = 0
    return concurrent {
      { "draft", run = function(_, attempt, flow) return (flow.results.check or 0) + 1 end },
      { "check", needs = { "draft" }, run = function(needs) return needs.draft end,
        back = { "draft", when = function(result) return result < 3 end, max = 5 } },
      { "slow", needs = { "draft" }, run = takes("slow", 10) },
      { "end", needs = { "check", "slow" }, run = function(needs) return needs.check .. needs.slow end },
      outputs = function(results) return results["end"] end,
    })";
  Lab lab(script);
  CHECK(result(lab.live()) == R"("3slow")");
  Names done = lab.recorded({Kind::step_done});
  CHECK(count_of(done, "step_done draft") == 3);
  CHECK(count_of(done, "step_done slow") == 2);   // begun in the first round, and again in the last
  CHECK(count_of(done, "step_done end") == 1);
  CHECK(wrong_when_cut(script, R"("3slow")") == "");
  CHECK_THAT(result("return sequential { { 'a', run = function() return 1 end, back = { 'a', max = 2, when = function() "
                    "return true end } } }"),
             Contains("failed max_reached: step 'a' went back to 'a' 2 times"));
}

TEST_CASE("a quiescent step waits until no other can lead to it any more", "[flow][steps]") {
  auto script = [](const std::string& join) {
    return k_work + R"(
    local order = {}
    return concurrent {
      { "begin", run = function(_, _, flow) return (flow.results.decide or 0) + 1 end },
      { "quick", needs = { "begin" }, run = takes("quick", 1) },
      { "rare", needs = { "begin" }, when = function(needs) return needs.begin == 2 end, run = takes("rare", 1) },
      { "decide", needs = { "begin" }, run = function(needs) work("decide", 3) return needs.begin end,
        back = { "begin", when = function(result) return result < 2 end } },
      { "merge", needs = { "quick", "rare" }, join = ")" + join + R"(",
        run = function(needs) effect("merge") return tostring(needs.rare) end },
      outputs = function(results) return results.merge end,
    })";
  };
  Life local = run(script("all"));
  CHECK(count_of(local.effects, "merge") == 2);   // both are heard of in the first round
  Life general = run(script("quiescent"));
  CHECK(count_of(general.effects, "merge") == 1);
  CHECK(result(general) == R"("rare")");
  CHECK(wrong_when_cut(script("quiescent"), R"("rare")") == "");
}

TEST_CASE("quiescent steps that lead to each other do not wait for each other", "[flow][steps]") {
  CHECK(wrong_when_cut(R"(
    local n = 0
    return concurrent {
      join = "quiescent",
      { "a", run = function() end },
      { "b", needs = { "a" }, run = function() return "b" end },
      { "c", needs = { "a" }, run = function() return "c" end },
      { "d", needs = { "b", "c" }, run = function(needs, _, flow) return (flow.results.d or "") .. needs.b .. needs.c end,
        back = { "a", when = function(result) return #result < 4 end } },
      outputs = function(results) return results.d end,
    })", R"("bcbc")") == "");
}

TEST_CASE("an error ends the others and is raised, with what was done undone", "[flow][steps]") {
  Lab lab(k_work + R"(
    return concurrent {
      { "book", undo = function(r) effect("undo " .. r) end, run = function() return "room" end },
      { "slow", run = takes("slow", 60) },
      { "bad", needs = { "book" }, retry = 1, run = function() work("bad", 1) fail("no", { code = "mine" }) end },
      { "never", needs = { "bad" }, run = takes("never", 1) },
    })");
  Life life = lab.live();
  CHECK(result(life) == "failed mine: no");
  CHECK(life.error.step == "bad");
  CHECK(life.effects == Names{"slow", "bad", "cancelled slow", "undo room"});
  CHECK(lab.recorded({Kind::compensation_done}).size() == 1);
}

TEST_CASE("random graphs come to the same end wherever they are cut", "[flow][steps]") {
  Random random(20);
  for (int i = 0; i < 40; ++i) {
    Graph graph = random_graph(random);
    INFO(graph.script);
    Lab whole(graph.script);
    REQUIRE(result(whole.live()) == graph.expected);
    uint64_t records = whole.journal().size();
    for (uint64_t cut = 1; cut < records; ++cut) {
      Lab lab(graph.script);
      lab.live(cut);
      REQUIRE(result(lab.live()) == graph.expected);
    }
  }
}

TEST_CASE("in a script it can be run like a function, and its error caught", "[flow][steps]") {
  CHECK(result(R"(
    step("first", function() end)
    local flow = concurrent { name = "inner", output = { x = "string" },
      { "a", run = function(_, _, flow) return flow.input.x end }, { "b", needs = { "a" }, expect = "integer",
        run = function(needs) return needs.a end } }
    local ok, e = pcall(flow.run, { x = "no number" })
    return { flow.run({ x = 4 }).b, flow.run({ x = 5 }).b, e.code, e.step, this.workflow })") ==
        R"([4,5,"validation","b","flow"])");
}

TEST_CASE("sequential runs its steps in their order, each with the results so far", "[flow][steps]") {
  const std::string script = R"(
    return sequential {
      { "a", run = function() effect("a") return 1 end },
      { "b", run = function(so_far) return so_far.a + 1 end },
      { "skipped", when = function(so_far) return so_far.b > 2 end, run = function() effect("skipped") end },
      { "pause", sleep = "1h" },
      { "c", run = function(so_far) return so_far.a + so_far.b end, expect = { type = "integer", maximum = 3 } },
      { "d", needs = { "skipped" }, run = function() effect("d") end },
      outputs = function(results, flow) return { results.c, flow.skipped.d } end,
    })";
  Lab lab(script);
  Life life = lab.live();
  CHECK(result(life) == "[3,true]");
  CHECK(life.effects == Names{"a"});
  CHECK(life.seconds() >= 3600);
  CHECK(lab.recorded({Kind::step_done, Kind::step_skipped}) ==
        Names{"step_done a", "step_done b", "step_skipped skipped", "step_done pause", "step_done c", "step_skipped d"});
  CHECK(wrong_when_cut(script, "[3,true]") == "");
}

TEST_CASE("what is wrong with a table of steps is said where it is written", "[flow][steps]") {
  CHECK(refusal("concurrent {}") == "concurrent: it has no steps");
  CHECK(refusal("concurrent { limits = 2, { 'a', sleep = 1 } }") ==
        "unknown option 'limits' of concurrent: did you mean 'limit'?");
  CHECK(refusal("concurrent { { 'a', sleep = 1, nedds = {} } }") ==
        "concurrent: unknown option 'nedds' of step 'a': did you mean 'needs'?");
  CHECK(refusal("concurrent { { 'a', sleep = 1, needs = { 'bee' } }, { 'be', sleep = 1 } }") ==
        "concurrent: unknown need 'bee' of step 'a': did you mean 'be'?");
  CHECK(refusal("concurrent { { 'a', sleep = 1 }, { 'b', sleep = 1 }, { 'a', sleep = 1 } }") ==
        "concurrent: two steps are called 'a': steps 1 and 3");
  CHECK(refusal("concurrent { { 'x', sleep = 1, needs = { 'a' } }, { 'a', sleep = 1, needs = { 'c' } }, { 'b', sleep = 1, "
                "needs = { 'a' } }, { 'c', sleep = 1, needs = { 'b' } } }") ==
        "concurrent: the needs go in a circle: 'a' needs 'c', 'c' needs 'b', 'b' needs 'a'");
  CHECK(refusal("concurrent { { 'a', sleep = 1, needs = { 'a' } } }") ==
        "concurrent: the needs go in a circle: 'a' needs 'a'");
  CHECK(refusal("concurrent { { 'a', llm = 'x' } }") ==
        "concurrent: step 'a': llm is not built yet; a step has run, shell, http, file, assert, sleep, ask or workflow");
  CHECK(refusal("concurrent { { 'a' } }") ==
        "concurrent: step 'a' does nothing: give it run, shell, http, file, assert, sleep, ask or workflow");
  CHECK(refusal("concurrent { { 'a', ask = 1 } }") ==
        "concurrent: step 'a': ask must be a question, or { \"question\", choices = { ... }, ... } as for ask, or a function that "
        "gives one, not a number");
  CHECK(refusal("concurrent { { 'a', ask = 'x', timeout = 1 } }") ==
        "concurrent: step 'a': timeout has no meaning with ask: write ask = { \"question\", timeout = ... }");
  CHECK(refusal("concurrent { { 'a', workflow = 'x', retry = 3 } }") == "concurrent: step 'a': retry has no meaning with workflow");
  CHECK(refusal("concurrent { { 'a', sleep = 1, message = 'x' } }") == "concurrent: step 'a': message goes with assert, not with sleep");
  CHECK(refusal("concurrent { { 'a', sleep = 1, input = {} } }") == "concurrent: step 'a': input goes with workflow, not with sleep");
  CHECK(refusal("concurrent { { 'a', sleep = 1, shell = 'b' } }") ==
        "concurrent: step 'a' has both shell and sleep: a step does one thing");
  CHECK_THAT(refusal("concurrent { { 'a', sleep = '5 q' } }"), Contains("step 'a': sleep: '5 q' is not a duration"));
  CHECK_THAT(refusal("concurrent { { sleep = 1 } }"), Contains("step 1 has no name"));
  CHECK_THAT(refusal("concurrent { { 'a', sleep = 1, join = 'any' } }"), Contains("\"all\" or \"quiescent\", not any"));
  CHECK_THAT(refusal("sequential { limit = 2, { 'a', sleep = 1 } }"), Contains("unknown option 'limit' of sequential"));
  CHECK(refusal("sequential { { 'a', sleep = 1, needs = { 'b' } }, { 'b', sleep = 1 } }") ==
        "sequential: step 'a' needs 'b', which does not come before it");
  CHECK(refusal("concurrent { { 'a', sleep = 1 }, { 'b', sleep = 1, back = { 'a', when = print } } }") ==
        "concurrent: step 'b': back leads to 'a', after which 'b' does not come");
  Life life = run("\nreturn concurrent { { 'a' } }");
  CHECK_THAT(life.error.traceback, Contains("flow.lua:2"));
}

TEST_CASE("steps that assert, ask and call other workflows", "[flow][steps]") {
  const std::string script = R"(
    local bill = workflow { name = "bill", input = { n = "integer" } }
    function bill.run(input) return step("bill", function() effect("bill") return input.n * 10 end) end
    local flow = concurrent { name = "flow",
      { "n", run = function() effect("n") return 7 end },
      { "small", assert = function(needs) return needs.n < 10 end, needs = { "n" } },
      { "go", ask = { "Go?", choices = { "yes", "no" }, timeout = 5, default = "no" }, needs = { "small" } },
      { "bill", workflow = "bill", input = function(needs) return { n = needs.n } end, needs = { "n" } },
      outputs = function(r) return { r.small, r.go, r.bill } end,
    }
    return { flow, bill })";
  Lab whole(script);
  whole.workflow = "flow";
  CHECK(result(whole.live()) == R"([true,"no",70])");
  uint64_t records = whole.journal().size();
  for (uint64_t cut = 1; cut < records; ++cut) {
    INFO("cut after " << cut);
    Lab lab(script);
    lab.workflow = "flow";
    lab.live(cut);
    CHECK(result(lab.live()) == R"([true,"no",70])");
  }
  CHECK_THAT(result("return sequential { { 'a', assert = function() return false end, message = 'too many' } }"),
             Contains("failed assert: too many"));
  CHECK_THAT(result("return sequential { { 'a', assert = false } }"), Contains("step 'a': what it asserts does not hold"));
}

TEST_CASE("a step of a table may work on files", "[flow][steps]") {
  CHECK_THAT(result("return sequential { { 'a', file = { 'raed', 'x' } } }"), Contains("file has no function 'raed'"));
  CHECK_THAT(result("return sequential { { 'a', file = function() return 'x' end } }"), Contains("file must give a list"));
}

TEST_CASE("a long chain and a wide graph of steps take what their length asks for", "[flow][steps]") {
  CHECK(result(R"(
    local steps = { outputs = function(results) return results[#results] or results.s400 end }
    for i = 1, 400 do
      steps[i] = { "s" .. i, needs = i > 1 and { "s" .. i - 1 } or {}, run = function(needs) return (needs["s" .. i - 1] or 0) + 1 end }
    end
    return concurrent(steps))") == "400");
  Lab lab("local steps = {} for i = 1, 300 do steps[i] = { 's' .. i, sleep = 1 } end return concurrent(steps)");
  CHECK(lab.live().seconds() < 2);
  for (const journal::Record& record : lab.journal()) CHECK(record.task.size() < 12);   // ids do not grow with the graph
}

TEST_CASE("a run keeps the stdlib that it began with", "[flow][steps][pinned]") {
  Lab lab("local m = require('perilune.words') step('a', function() sleep(9) end) return m");
  lab.builtin_modules["perilune.words"] = "return 'old'";
  CHECK_FALSE(lab.live(1).ended);
  lab.builtin_modules["perilune.words"] = "return 'new'";
  CHECK(result(lab.live()) == R"("old")");
}

TEST_CASE("a loop may run a table of steps in each iteration", "[flow][steps][loop]") {
  Lab whole(R"(
    local total = 0
    local flow = concurrent {
      { "a", run = function(_, _, flow) return flow.input.i end },
      { "b", needs = { "a" }, run = function(needs) return needs.a * 2 end },
      { "c", needs = { "a" }, run = function(needs) return needs.a * 3 end },
      outputs = function(results) return results.b + results.c end,
    }
    loop("three", { times = 3 }, function(i) total = total + flow.run { i = i } end)
    return total)");
  whole.snapshot_due = [] { return true; };
  CHECK(result(whole.live()) == "30");
  uint64_t records = whole.journal().size();
  for (uint64_t cut = 1; cut < records; ++cut) {
    Lab lab(whole.script);
    lab.snapshot_due = whole.snapshot_due;
    lab.live(cut);
    Life second = lab.live();
    INFO("cut after record " << cut);
    REQUIRE(result(second) == "30");
    CHECK(second.logs.empty());   // nothing that could not be saved
  }
}
