// Hook files: each result at the points of steps, order, failures and limits; and that a run which is cut after each record in
// turn comes to the same end, while hooks are not asked again for what they had decided.
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

const std::string k_step = "return step('a', { input = { n = 1 }, retry = 1 }, function(_, i) effect('a') return i.n end)";
const std::string k_fails =
    "local ok, e = pcall(step, 'a', { retry = 1, input = 0 }, function(_, i) effect('a') if i == 0 then fail('broken', { code = "
    "'broken' }) end return i end)\n"
    "return { ok = ok, code = ok and e or e.code }";

std::string on(const std::string& point, const std::string& reply) {
  return "on('" + point + "', function(e) effect('asked " + point + "') return " + reply + " end)\n";
}

Lab hooked(const std::string& script, std::vector<std::string> hooks) {
  Lab lab(script);
  lab.hooks = std::move(hooks);
  return lab;
}

std::string with(const std::string& hooks, const std::string& script) { return result(hooked(script, {hooks}).live()); }

// Cuts the run after each record in turn. A decision that was on disk by then is not asked for again.
std::string wrong_when_cut(const std::string& script, const std::string& hooks) {
  Lab whole = hooked(script, {hooks});
  const std::string expected = result(whole.live());
  const size_t decisions = whole.recorded({Kind::hook_decision}).size();
  const uint64_t records = whole.journal().size();
  if (decisions == 0) return "nothing was decided";
  for (uint64_t cut = 1; cut < records; ++cut) {
    Lab lab = hooked(script, {hooks});
    lab.live(cut);
    const std::string where = "cut after record " + std::to_string(cut) + ": ";
    const size_t decided = lab.recorded({Kind::hook_decision}).size();
    Life second = lab.live();
    if (result(second) != expected) return where + result(second) + " in place of " + expected;
    size_t asked = 0;
    for (const std::string& effect : second.effects) asked += effect.starts_with("asked");
    if (lab.recorded({Kind::hook_decision}).size() != decisions) return where + "other decisions";
    if (asked > decisions - decided) return where + "asked again";
  }
  return "";
}

}  // namespace

TEST_CASE("hook files decide on steps, once for each decision", "[hooks][hook files]") {
  struct Case {
    std::string hooks, script, expected;
  };
  const Case cases[] = {
      {on("step.before", "skip({ n = 5 })"), k_step, R"({"n":5})"},
      {on("step.before", "deny('no')"), "local ok, e = pcall(step, 'a', function() end) return e.code .. ' ' .. e.message", "\"denied no\""},
      {on("step.before", "replace { input = { n = e.input.n + 1 } }"), k_step, "2"},
      {on("step.before", "delay('1h')"), k_step, "1"},
      {on("step.fail", "resolve('mended')"), k_fails, R"({"code":"mended","ok":true})"},
      {on("step.fail", "retry { after = '10s', input = 7 }"), k_fails, R"({"code":7,"ok":true})"},
      {on("error", "replace { error = 'other' }"), k_fails, R"({"code":"step_failed","ok":false})"},
      {on("error", "suppress('calm')"), k_fails, R"({"code":"calm","ok":true})"},
      {on("error", "escalate()"), k_fails, "failed broken: broken"},
      {on("step.before", "replace { input = { 'there', 1 } }"), "return work('here', 5)", "\"there\""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.hooks);
    CHECK(with(one.hooks, one.script) == one.expected);
    CHECK(wrong_when_cut(one.script, one.hooks).empty());
  }
}

TEST_CASE("a hook file redirects a step to another workflow", "[hooks][hook files]") {
  const std::string script =
      "local other = workflow { name = 'other', run = function(input) return { got = step('in other', function() return input.n end) } "
      "end }\nlocal main = workflow { name = 'flow', run = function() " + k_step + " end }\nreturn { main, other }";
  const std::string hooks = "on('step.before', function(e) if e.step == 'a' then effect('asked') return redirect('other') end end)";
  CHECK(with(hooks, script) == R"({"got":1})");
  CHECK(wrong_when_cut(script, hooks).empty());
}

TEST_CASE("a step that waits for a hook, or for what it decided, can be cancelled", "[hooks][hook files]") {
  const std::string race = "return race { slow = function() " + k_step + " end, fast = function() sleep '2s' return 'fast' end }";
  for (const char* hooks : {"on('step.before', function() sleep '5s' return skip(1) end)", "on('step.before', function() return delay('1h') end)"}) {
    Life life = hooked(race, {hooks}).live();
    CHECK(result(life) == "\"fast\"");
    CHECK(life.seconds() < 10);
  }
}

TEST_CASE("files are asked in their order, hooks by priority, until one ends the round", "[hooks][hook files]") {
  Lab lab = hooked(k_step, {"on('step.before', function(e) effect('one ' .. e.input.n) return replace { input = { n = 2 } } end)",
                            "on('step.before', function(e) effect('two ' .. e.input.n) return replace { input = { n = 3 } } end)\n"
                            "on('step.before', { priority = 1 }, function(e) effect('first ' .. e.input.n) end)\n"
                            "on('step.before', function(e) return skip(e.input) end)\n"
                            "on('step.before', function() effect('never') end)"});
  CHECK(result(lab.live()) == R"({"n":3})");
  CHECK(lab.ledger() == Names{"first 1", "one 1", "two 2"});
}

TEST_CASE("the script's hooks come first, and see what is recorded", "[hooks][hook files]") {
  const std::string script = "local seen on('step.before', function(e) return replace { input = { n = e.input.n * 10 } } end)\n"
                             "on('step.skip', function(e) seen = e.by end)\nlocal r = step('a', { input = { n = 1 } }, function() end) "
                             "return { r = r, by = seen }";
  CHECK(with("on('step.before', function(e) return skip(e.input.n + 1) end)", script) == R"({"by":"script, hooks-1.lua","r":11})");
}

TEST_CASE("hook files hear what was committed, of all runs, and are waited for at the end", "[hooks][hook files]") {
  Lab lab = hooked("step('a', { retry = { attempts = 2, backoff = '1s' } }, function(t) if t.number == 1 then error('no') end return 7 end)\n"
                   "step('b', { when = false }, function() end) return 1",
                   {"on('*', function(e) sleep '1s' log.info(e.point .. ' ' .. (e.step or e.run.workflow) .. ' ' .. tostring(e.result)) end)"});
  Life life = lab.live();
  CHECK(result(life) == "1");
  CHECK(life.logs == Names{"info: run.start flow nil", "info: step.before a nil", "info: step.retry a nil", "info: step.after a 7",
                           "info: step.skip b nil", "info: run.complete flow nil"});
}

TEST_CASE("a run that is taken up is not told of again from its beginning", "[hooks][hook files]") {
  Lab lab = hooked("step('a', function() end) step('b', function() end) return 1",
                   {"on('*', function(e) if e.point ~= 'step.before' then effect(e.point .. ' ' .. (e.step or '')) end end)"});
  lab.live(2);   // begun, a
  Life second = lab.live();
  CHECK(second.effects == Names{"run.resume ", "step.after b", "run.complete "});
}

TEST_CASE("a hook of a file that fails before a step fails it, elsewhere the log has it", "[hooks][hook files]") {
  CHECK_THAT(with("on('step.before', function() error('trouble', 0) end)", k_step),
             Contains("failed step_failed: a hook of hooks-1.lua failed: trouble"));
  CHECK_THAT(with("on('step.before', function() return resolve(1) end)", k_step),
             Contains("step.before takes no resolve: a hook there may return skip(result)"));
  CHECK_THAT(with("on('step.before', function() return 5 end)", k_step), Contains("step.before takes no such value"));
  Life life = hooked(k_step, {"on('step.after', function() error('trouble', 0) end) on('step.after', function() return skip() end)"}).live();
  CHECK(result(life) == "1");
  REQUIRE(life.logs.size() == 2);
  CHECK_THAT(life.logs[0], Contains("error: a hook of hooks-1.lua failed at step.after: ") && Contains("trouble"));
  CHECK_THAT(life.logs[1], Contains("step.after takes no skip: a hook there only sees what has happened"));
}

TEST_CASE("a hook of a file has its time and its limits", "[hooks][hook files]") {
  Lab slow = hooked(k_step, {"on('step.before', function() sleep '1h' end)"});
  Life life = slow.live();
  CHECK_THAT(result(life), Contains("timeout: a hook of hooks-1.lua failed: the hook has not ended within 10s"));
  CHECK(life.seconds() < 20);

  Lab greedy = hooked("pcall(step, 'eat', function() end) " + k_step,
                      {"on('step.before', function(e) if e.step == 'eat' then local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end end "
                       "return skip('fed') end)"});
  greedy.settings.memory_bytes = 16 << 20;
  life = greedy.live();
  CHECK(result(life) == "\"fed\"");   // its state was made anew
  REQUIRE_FALSE(life.logs.empty());
  CHECK_THAT(life.logs[0], Contains("hooks-1.lua has failed and is loaded again: memory"));
}

TEST_CASE("hook files do what needs no record, and nothing else", "[hooks][hook files]") {
  CHECK(with("on('step.before', function(e) local r = parallel { function() return work('x', 1) end, function() sleep '1s' return 'y' end } "
             "return skip(r) end)", k_step) == R"(["x","y"])");
  for (const char* call : {"step('x', function() end)", "call('x')", "receive('x')", "checkpoint 'x'", "compensate('x', function() end)"})
    CHECK_THAT(with(std::string("on('step.before', function() ") + call + " end)", k_step),
               Contains("can't be called here: what a hook file does is not recorded"));
  CHECK_THAT(with("on('step.before', function() return this.id end)", k_step), Contains("undefined global 'this'"));
}

TEST_CASE("hooks of files go once, or when they are removed", "[hooks][hook files]") {
  Lab lab = hooked("step('a', function() end) step('b', function() end) step('c', function() end)",
                   {"on('step.before', { once = true }, function(e) effect('once ' .. e.step) end)\n"
                    "on('step.after', { once = true }, function(e) effect('after ' .. e.step) end)\n"
                    "local h h = on('step.before', function(e) effect('twice ' .. e.step) if e.step == 'b' then h:remove() end end)"});
  lab.live();
  CHECK(lab.ledger() == Names{"once a", "twice a", "after a", "twice b"});
}
