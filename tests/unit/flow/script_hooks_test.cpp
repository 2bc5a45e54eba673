// Hooks of scripts on steps and effects: each result, order, priority, once, removal; and that a run which is cut after each
// record in turn comes to the same end, with the same hooks called.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::Lab;
using engine::Life;
using engine::result;
using journal::Kind;
using Names = std::vector<std::string>;

namespace {

// What is wrong when the script is cut after each record in turn: nothing, if the result is always that of the whole run.
std::string wrong_when_cut(const std::string& script) {
  Lab whole(script);
  const std::string expected = result(whole.live());
  const uint64_t records = whole.journal().size();
  for (uint64_t cut = 1; cut < records; ++cut) {
    Lab lab(script);
    lab.live(cut);
    Names done = lab.recorded({Kind::step_done});
    std::string second = result(lab.live());
    if (second != expected) return "cut after record " + std::to_string(cut) + ": " + second + " in place of " + expected;
  }
  return records > 2 ? "" : "too few records";
}

std::string on_before(const std::string& reply, const std::string& rest) {
  return "on('step.before', function(e) return " + reply + " end)\n" + rest;
}

const std::string k_step = "return step('a', { input = { n = 1 } }, function(_, i) effect('a') return i.n end)";
const std::string k_caught =
    "local ok, e = pcall(step, 'a', { retry = 1 }, function() effect('a') fail('broken', { code = 'broken' }) end)\n"
    "return { ok = ok, code = ok and e or e.code, message = ok and '' or e.message }";

}  // namespace

TEST_CASE("skip gives its result in place of the step, which is recorded as skipped by the script", "[hooks]") {
  Lab lab(on_before("skip({ n = 5 })", "local r = step('a', { undo = function() effect('undo') end }, function() effect('a') end) "
                                       "return r.n"));
  CHECK(result(lab.live()) == "5");
  CHECK(lab.ledger().empty());
  CHECK(lab.recorded({Kind::step_skipped, Kind::hook_decision}) == Names{"hook_decision a", "step_skipped a"});
}

TEST_CASE("what skip gives passes the gate of expect", "[hooks]") {
  CHECK_THAT(result(on_before("skip('text')", "return step('a', { expect = 'integer' }, function() return 1 end)")),
             Contains("failed validation") && Contains("the result that script gave step 'a'"));
}

TEST_CASE("deny fails the step with its reason, and no retry may mend that", "[hooks]") {
  Lab lab(on_before("deny('over the limit')", k_caught));
  CHECK(result(lab.live()) == R"({"code":"denied","message":"over the limit","ok":false})");
  CHECK(lab.ledger().empty());
  CHECK_THAT(result(on_before("deny()", "step('a', function() end)")), Contains("denied: a hook has denied it"));
  CHECK(result("on('step.before', function() return deny('no') end) on('step.fail', function() return retry{} end)\n" + k_caught) ==
        R"({"code":"denied","message":"no","ok":false})");
}

TEST_CASE("replace changes what the body and the hooks after it are given", "[hooks]") {
  CHECK(result("on('step.before', function(e) return replace { input = { n = e.input.n + 1 } } end)\n"
               "on('step.before', function(e) return replace { input = { n = e.input.n * 10 } } end)\n" + k_step) == "20");
  Lab lab("on('step.before', function(e) return replace { input = { 'there', 1 } } end) return work('here', 5)");
  CHECK(result(lab.live()) == "\"there\"");
}

TEST_CASE("delay waits as long as all delays say, and outlives the process", "[hooks]") {
  const std::string script = "on('step.before', function() return delay('1h') end)\n"
                             "on('step.before', function() return delay('2h') end)\n" + k_step;
  Lab lab(script);
  CHECK(lab.live().seconds() == Approx(3 * 3600));
  Lab cut(script);
  CHECK(cut.live(3).seconds() == Approx(3 * 3600));   // begun, decided, timer: the step is lost
  CHECK(cut.recorded({Kind::hook_decision, Kind::timer_set}).size() == 2);
  Life second = cut.live();
  CHECK(result(second) == "1");
  CHECK(second.seconds() < 1);
}

TEST_CASE("redirect calls a workflow with the input instead", "[hooks]") {
  const std::string script =
      "local other = workflow { name = 'other', run = function(input) return { got = step('in other', function() effect('other') "
      "return input.n end) } end }\n"
      "local main = workflow { name = 'flow', run = function() on('step.before', function(e) if e.step == 'a' then return "
      "redirect('other') end end)\n" + k_step + " end }\nreturn { main, other }";
  Lab lab(script);
  CHECK(result(lab.live()) == R"({"got":1})");
  CHECK(lab.ledger() == Names{"other"});
  CHECK(wrong_when_cut(script).empty());
  CHECK_THAT(result(on_before("redirect('nowhere')", k_step)), Contains("not_found") && Contains("no workflow 'nowhere'"));
}

TEST_CASE("a step that was redirected takes the other run with it when it is cancelled", "[hooks]") {
  const std::string script =
      "local other = workflow { name = 'other', run = function() pcall(sleep, '1h') effect('over') end }\n"
      "local main = workflow { name = 'flow', run = function() on('step.before', function(e) return redirect('other') end)\n"
      "return race { slow = function() " + k_step + " end, fast = function() sleep '5s' return 'fast' end } end }\n"
      "return { main, other }";
  Lab lab(script);
  Life life = lab.live();
  CHECK(result(life) == "\"fast\"");
  CHECK(life.seconds() < 10);
  CHECK(wrong_when_cut(script).empty());
}

TEST_CASE("step.fail may resolve, or try again with another input and the same key", "[hooks]") {
  CHECK(result("on('step.fail', function(e) return resolve({ from = e.error.code }) end)\n"
               "return step('a', { retry = 1 }, function() fail('x', { code = 'broken' }) end).from") == "\"broken\"");
  Lab lab("on('step.fail', function(e) if e.attempts < 4 then return retry { after = '1s', input = e.attempts } end end)\n"
          "local keys = {}\n"
          "local r = step('a', { retry = 1, input = 0 }, function(attempt, i) effect(attempt.key) if i < 2 then error('no') end "
          "return i end)\nreturn r");
  Life life = lab.live();
  CHECK(result(life) == "2");
  CHECK(life.seconds() == Approx(2).margin(0.1));
  REQUIRE(lab.ledger().size() == 3);
  CHECK(lab.ledger()[0] == lab.ledger()[1]);
  CHECK(lab.ledger()[0] == lab.ledger()[2]);
}

TEST_CASE("error may replace, suppress or escalate", "[hooks]") {
  CHECK(result("on('error', function(e) return replace { error = 'in other words' } end)\n" + k_caught) ==
        R"({"code":"step_failed","message":"in other words","ok":false})");
  CHECK(result("on('error', function(e) return suppress('calm') end)\n" + k_caught) ==
        R"({"code":"calm","message":"","ok":true})");
  CHECK(result("on('error', function(e) return escalate() end)\n" + k_caught) == "failed broken: broken");
  Lab lab("on('error', function(e) return escalate() end) compensate('undo', function() effect('undo') end)\n"
          "parallel { function() sleep '1h' effect('late') end, function() " + k_caught + " end }");
  CHECK(result(lab.live()) == "failed broken: broken");
  CHECK(lab.ledger() == Names{"a", "undo"});
}

TEST_CASE("hooks are told what happened, in order", "[hooks]") {
  const std::string script =
      "local seen = {}\n"
      "on('step.*', function(e) seen[#seen + 1] = table.concat({ e.point, e.step, tostring(e.attempt), tostring(e.attempts), "
      "tostring(e.result), tostring(e.by) }, ' ') end)\n"
      "step('a', { retry = { attempts = 3, backoff = '1s' } }, function(attempt) if attempt.number < 3 then error('no') end return 7 end)\n"
      "step('b', { when = false }, function() end)\n"
      "step('c', { when = function() return false end }, function() end)\n"
      "pcall(step, 'd', { retry = { attempts = 2, backoff = '1s' } }, function() error('no') end)\n"
      "work('e', 1)\n"
      "return seen";
  CHECK(result(script) ==
        R"(["step.before a nil nil nil nil","step.retry a 1 nil nil nil","step.retry a 2 nil nil nil","step.after a nil 3 7 nil",)"
        R"("step.skip b nil nil nil when","step.before c nil nil nil nil","step.skip c nil nil nil when",)"
        R"("step.before d nil nil nil nil","step.retry d 1 nil nil nil","step.fail d nil 2 nil nil",)"
        R"("step.before work nil nil nil nil","step.after work nil 1 e nil"])");
  CHECK(wrong_when_cut(script).empty());
}

TEST_CASE("the event knows the run and how long the step took", "[hooks]") {
  Lab lab("local seen on('step.after', function(e) seen = { e.run.id, e.run.workflow, e.run.input.x, e.duration_ms } end)\n"
          "step('a', function() sleep '2s' end) return seen");
  lab.input = R"({"x":9})";
  CHECK(result(lab.live()) == R"(["run-1","flow",9,2000.0])");
}

TEST_CASE("greater priorities first, then by registration; once, and removal from within", "[hooks]") {
  CHECK(result("local seen = {}\n"
               "local function note(what) return function() seen[#seen + 1] = what end end\n"
               "on('step.after', note 'a')\n"
               "on('step.after', { priority = 5 }, note 'b')\n"
               "on('step.after', { priority = -1 }, note 'z')\n"
               "on('step.after', { once = true }, note 'once')\n"
               "local h h = on('step.after', function() seen[#seen + 1] = 'gone' h:remove() on('step.after', note 'late') end)\n"
               "step('1', function() end) step('2', function() end) return table.concat(seen, ' ')") ==
        "\"b a once gone z b a late z\"");
}

TEST_CASE("what a hook does is recorded, replayed, and meets no hooks", "[hooks]") {
  const std::string script =
      "local n = 0\n"
      "on('step.before', function(e) n = n + step('ask ' .. e.step, function() effect('ask ' .. e.step) return 1 end) end)\n"
      "on('step.after', function(e) parallel { function() step('tell', function() effect('tell') end) end } sleep '1s' end)\n"
      "step('a', function() effect('a') end) step('b', function() effect('b') end) return n";
  Lab lab(script);
  CHECK(result(lab.live()) == "2");
  CHECK(lab.ledger() == Names{"ask a", "a", "tell", "ask b", "b", "tell"});
  CHECK(wrong_when_cut(script).empty());
}

TEST_CASE("a hook that fails before a step fails it; later, the log has it", "[hooks]") {
  CHECK(result("on('step.before', function() error('hook trouble', 0) end)\n" + k_caught) ==
        R"({"code":"step_failed","message":"a hook failed: hook trouble","ok":false})");
  Life life = engine::run("on('step.after', function() error('hook trouble', 0) end) return step('a', function() return 1 end)");
  CHECK(result(life) == "1");
  REQUIRE(life.logs.size() == 1);
  CHECK_THAT(life.logs[0], Contains("error: a hook on 'step.after' failed at step.after: ") && Contains("hook trouble"));
}

TEST_CASE("a result where none may be, or that is none, is an error that says which may", "[hooks]") {
  CHECK_THAT(result(on_before("resolve(1)", k_caught)),
             Contains("step.before takes no resolve: a hook there may return skip(result), replace{input=}, deny(reason)"));
  CHECK_THAT(result(on_before("{ skip = true }", k_caught)), Contains("step.before takes no such value"));
  CHECK_THAT(result(on_before("replace { value = 1 }", k_caught)), Contains("step.before takes no replace{value=}"));
  for (const char* reply : {"skip(1)", "deny()", "retry{}", "resolve(1)", "suppress()", "escalate()", "delay(1)", "true"}) {
    Life life = engine::run(std::string("on('step.after', function() return ") + reply + " end) return step('a', function() return 1 end)");
    CAPTURE(reply);
    CHECK(result(life) == "1");
    REQUIRE(life.logs.size() == 1);
    CHECK_THAT(life.logs[0], Contains("step.after takes no ") && Contains("it returns nothing"));
  }
  for (const char* reply : {"skip(1)", "deny()", "suppress()", "delay(1)", "redirect('x')"}) {
    Life life = engine::run(std::string("on('step.fail', function() return ") + reply + " end)\n" + k_caught);
    CAPTURE(reply);
    CHECK(result(life) == R"({"code":"broken","message":"broken","ok":false})");
    REQUIRE(life.logs.size() == 1);
    CHECK_THAT(life.logs[0], Contains("a hook there may return retry{after=, input=}, resolve(result), or nothing"));
  }
}

TEST_CASE("wrong calls say what is right", "[hooks]") {
  CHECK_THAT(result("on('step.befor', function() end)"), Contains("did you mean 'step.before'"));
  CHECK_THAT(result("on('step.before', 5)"), Contains("on: the last argument must be a function"));
  CHECK_THAT(result("on(5, function() end)"), Contains("on: the pattern must be a string"));
  CHECK_THAT(result("on('step.before', { prio = 1 }, function() end)"), Contains("unknown option 'prio' of on: did you mean 'priority'"));
  CHECK_THAT(result("replace { inputt = 1 }"), Contains("did you mean 'input'"));
  CHECK_THAT(result("replace {}"), Contains("one of input, value, error"));
  CHECK_THAT(result("delay('soon')"), Contains("soon"));
  CHECK_THAT(result("redirect()"), Contains("redirect: the workflow must be a string"));
  CHECK_THAT(result("on('step.before', function() end) step(5, function() end)"), Contains("step: the name must be a string"));
}

TEST_CASE("hooks that iterations of a loop change are in its snapshots", "[hooks][loop]") {
  const std::string script =
      "local seen = {}\n"
      "on('step.after', function(e) seen[#seen + 1] = e.result end)\n"
      "loop('l', { times = 12 }, function(i)\n"
      "  if i == 3 then on('step.after', { once = true }, function(e) seen[#seen + 1] = 'once' end) end\n"
      "  step('s', function() return i end)\n"
      "end)\n"
      "step('end', function() return 'end' end)\n"
      "return seen";
  Lab whole(script);
  const std::string expected = result(whole.live());
  CHECK(expected == R"([1,2,3,"once",4,5,6,7,8,9,10,11,12,"end"])");
  Lab saved(script);
  saved.snapshot_due = [] { return true; };
  REQUIRE(result(saved.live()) == expected);
  for (uint64_t cut = 2; cut < saved.row().last_seq; ++cut) {
    Lab lab(script);
    lab.snapshot_due = [] { return true; };
    lab.live(cut);
    CAPTURE(cut);
    CHECK(result(lab.live()) == expected);
  }
}
