// Gates: requires, preflight, postflight, and the verdicts of expect and of the schemas. Each is decided once and recorded
// with what it decides, whatever kills the process.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>

#include "runtime/flow/gate.hpp"
#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;
using journal::Kind;
using Names = std::vector<std::string>;

namespace {

// "expect charge: held", "preflight preflight: no disk"
Names verdicts(const std::vector<journal::Record>& records) {
  Names names;
  for (const journal::Record& record : records)
    if (auto verdict = flow::verdict_of(record))
      names.push_back(verdict->gate + " " + record.name + ": " + (verdict->held ? "held" : verdict->message));
  return names;
}

const std::string k_all_gates = R"(
  local w = workflow {
    name = "w", input = { n = "integer" }, output = { sum = "integer" },
    preflight = function(input) effect("preflight " .. input.n) work("look", 1) return true end,
    postflight = function(output) effect("postflight " .. output.sum) work("audit", 1) end,
  }
  function w.run(input)
    effect("body")
    local a = step("a", { expect = "integer", undo = function() effect("undo a") end }, function() effect("a") return input.n end)
    sleep(1)
    return { sum = a + 1 }
  end
  return w)";
const Names k_all_held = {"input input: held", "preflight preflight: held", "expect a: held", "output output: held",
                          "postflight postflight: held"};

// The same end, the same verdicts, each once, wherever the process is killed; no gate is asked again once it is recorded.
void survives(const std::string& script, const std::string& input) {
  Lab whole(script);
  whole.input = input;
  Life life = whole.live();
  std::string expected = result(life);
  Names said = verdicts(whole.journal());
  uint64_t total = whole.journal().size();
  for (uint64_t cut = 1; cut < total; ++cut) {
    INFO("cut after record " << cut);
    Lab lab(script);
    lab.input = input;
    CHECK_FALSE(lab.live(cut).ended);
    Names recorded = lab.recorded({Kind::step_done, Kind::step_failed});
    Life again = lab.live();
    CHECK(result(again) == expected);
    CHECK(verdicts(lab.journal()) == said);
    for (const char* gate : {"preflight", "postflight"}) {
      bool decided = std::any_of(recorded.begin(), recorded.end(),
                                 [gate](const std::string& name) { return name.ends_with(std::string(" ") + gate); });
      for (const std::string& effect : again.effects) CHECK_FALSE((decided && effect.starts_with(gate)));
    }
  }
}

}  // namespace

TEST_CASE("the gates of a run are asked in their places, each verdict is a record", "[flow][gate]") {
  Lab lab(k_all_gates);
  lab.input = R"({"n":4})";
  Life life = lab.live();
  CHECK(result(life) == R"({"sum":5})");
  CHECK(life.effects == Names{"preflight 4", "look", "body", "a", "postflight 5", "audit"});
  CHECK(verdicts(lab.journal()) == k_all_held);
  CHECK(life.seconds() == Approx(3).margin(0.1));
}

TEST_CASE("gates survive a crash at every record", "[flow][gate][crash]") { survives(k_all_gates, R"({"n":4})"); }

TEST_CASE("a run without gates has no record of one", "[flow][gate]") {
  Lab lab("workflow { name = 'plain', timeout = '1h' } step('a', function() return 1 end) return 2");
  CHECK(result(lab.live()) == "2");
  CHECK(verdicts(lab.journal()).empty());
}

TEST_CASE("a preflight that does not hold fails the run before its body", "[flow][gate]") {
  auto failing = [](const std::string& body) {
    return "local w = workflow { preflight = function(input) " + body +
           " end } function w.run() effect('body') step('a', function() end) end return w";
  };
  Lab lab(failing("return false, 'no disk'"));
  lab.file = "w.lua";
  Life life = lab.live();
  CHECK(result(life) == "failed gate: no disk");
  CHECK(life.error.step == "preflight");
  CHECK(life.effects.empty());
  CHECK(verdicts(lab.journal()) == Names{"preflight preflight: no disk"});
  CHECK(result(failing("return false")) == "failed gate: it did not hold");
  CHECK(result(failing("fail('disk is full', { code = 'disk', data = { left = 0 } })")) == "failed gate: disk is full");
  life = run(failing("fail('disk is full', { code = 'disk', data = { left = 0 } })"));
  CHECK(life.error.data == R"({"left":0})");
  REQUIRE(life.error.cause != nullptr);
  CHECK(life.error.cause->code == "disk");
  CHECK_THAT(result(failing("return 'yes'")), Contains("failed gate: ") && Contains("not a string"));
  CHECK_THAT(result(failing("return false, {}")), Contains("the message of a gate is a text, not a table"));
  CHECK_THAT(result(failing("sleep(1) step('s', function() end)")), Contains("step can't be called inside a step"));
  survives(failing("work('look', 1) return false, 'no'"), "{}");
}

TEST_CASE("a preflight that fails a run does not pause it, whatever on_error says", "[flow][gate]") {
  CHECK(result("local w = workflow { on_error = 'pause', preflight = function() return false, 'no' end } function w.run() end return w") ==
        "failed gate: no");
}

TEST_CASE("in a file that is itself the workflow, preflight runs where workflow{} stands", "[flow][gate]") {
  const std::string script = R"(
    workflow { preflight = function(i) effect("preflight " .. i.n) work("look", 1) end,
               postflight = function(o) effect("postflight " .. o) return o < 10, "too much" end }
    return step("a", function() effect("a") return input.n end))";
  Lab lab(script);
  lab.input = R"({"n":3})";
  Life life = lab.live();
  CHECK(result(life) == "3");
  CHECK(life.effects == Names{"preflight 3", "look", "a", "postflight 3"});
  survives(script, R"({"n":3})");
  survives(script, R"({"n":30})");
  lab = Lab(script);
  lab.input = R"({"n":30})";
  CHECK(result(lab.live()) == "failed gate: too much");
}

TEST_CASE("gates that are named too late are refused", "[flow][gate]") {
  CHECK_THAT(result("step('a', function() end) workflow { preflight = function() return false end } return 1"),
             StartsWith("failed usage: workflow: `preflight` counts from the beginning on"));
  CHECK_THAT(result("step('a', function() end) workflow { requires = 'sh' } return 1"), Contains("`requires`"));
}

TEST_CASE("a postflight that does not hold fails the run, which undoes what it did", "[flow][gate]") {
  const std::string script = R"(
    local w = workflow { postflight = function(output) effect("postflight") return output.ok, "not ok" end }
    function w.run()
      step("a", { undo = function() effect("undo a") end }, function() end)
      parallel { function() step("b", { undo = function() effect("undo b") end }, function() end) HOW { ok = false } end }
      return { ok = false }
    end
    return w)";
  for (std::string how : {"local o =", "finish"}) {
    std::string text = script;
    text.replace(text.find("HOW"), 3, how);
    INFO(how);
    Lab lab(text);
    Life life = lab.live();
    CHECK(result(life) == "failed gate: not ok");
    CHECK(life.error.step == "postflight");
    CHECK(life.effects == Names{"postflight", "undo b", "undo a"});
    survives(text, "{}");
  }
}

TEST_CASE("a postflight waits for what was spawned, and sees the output that is kept", "[flow][gate]") {
  CHECK(result(R"(
    local w = workflow { output = { n = { type = "integer", default = 7 }, late = "boolean" },
                         postflight = function(output) return output.n == 7 and output.late end }
    function w.run()
      local out = {}
      spawn("later", function() sleep(1) out.late = true end)
      return out
    end
    return w)") == R"({"late":true,"n":7})");
}

TEST_CASE("a postflight of a run that finishes early can be cancelled", "[flow][gate]") {
  Lab lab(R"(
    local w = workflow { timeout = "2s", postflight = function() work("audit", 60) end }
    function w.run() step("a", { undo = function() effect("undo a") end }, function() end) finish(1) end
    return w)");
  Life life = lab.live();
  CHECK(life.error.code == "timeout");
  CHECK(life.effects == Names{"audit", "cancelled audit", "undo a"});
  CHECK(life.seconds() == Approx(2).margin(0.2));
}

TEST_CASE("with on_error = pause, a postflight is asked again by the next resume", "[flow][gate]") {
  Lab lab(R"(
    local w = workflow { on_error = "pause", postflight = function() return outside("fine") == "yes", "not fine" end }
    function w.run() return step("a", function() effect("a") return 1 end) end
    return w)");
  lab.outside["fine"] = "no";
  Life life = lab.live();
  CHECK(life.status == store::Status::paused);
  lab.outside["fine"] = "yes";
  life = lab.live();
  CHECK(result(life) == "1");
  CHECK(life.effects.empty());
  CHECK(verdicts(lab.journal()) == Names{"postflight postflight: not fine", "postflight postflight: held"});
}

TEST_CASE("a result that breaks its schema is a verdict of the step", "[flow][gate]") {
  Lab lab("return pcall(step, 'a', { expect = 'integer', retry = 3 }, function() return 'x' end)");
  CHECK(result(lab.live()) == "false");
  CHECK_THAT(verdicts(lab.journal()).at(0), StartsWith("expect a: the result of step 'a'"));
  std::vector<journal::Record> records = lab.journal();   // it stands with the outcome
  auto gate = std::find_if(records.begin(), records.end(), [](auto& record) { return record.kind == Kind::gate; });
  CHECK((gate + 1)->kind == Kind::step_failed);
}

TEST_CASE("an output that breaks its schema fails the run, which undoes what it did", "[flow][gate]") {
  const std::string script =
      "workflow { output = { n = 'integer' } } step('a', { undo = function() effect('undo a') end }, function() end) "
      "step('b', { undo = function() effect('undo b') end }, function() end) return { n = 'x' }";
  Lab lab(script);
  Life life = lab.live();
  CHECK_THAT(result(life), StartsWith("failed validation: output.n"));
  CHECK(life.effects == Names{"undo b", "undo a"});
  REQUIRE(verdicts(lab.journal()).size() == 1);
  CHECK_THAT(verdicts(lab.journal())[0], StartsWith("output output: output.n"));
  survives(script, "{}");
}

TEST_CASE("after a retry the output's gate may say something else", "[flow][gate]") {
  Lab lab("workflow { output = 'integer' } return this.attempt > 1 and 1 or 'x'");
  CHECK_THAT(result(lab.live()), StartsWith("failed validation"));
  engine::Order retry;
  retry.act = engine::Order::Act::retry;
  REQUIRE(lab.operate(retry).ok());
  CHECK(result(lab.live()) == "1");
  CHECK(verdicts(lab.journal()).back() == "output output: held");
}

TEST_CASE("what a workflow requires is checked before it begins, all of it", "[flow][gate]") {
  Lab lab(R"(
    local w = workflow { name = "w", requires = { "sh", "no-such-program-x", env = "NO_SUCH_VARIABLE_X", files = { "gate_test.lua", "/" } } }
    function w.run() end
    return w)");
  Life life = lab.live();
  REQUIRE(life.refused);
  CHECK(life.error.code == "gate");
  CHECK_THAT(life.error.message, StartsWith("workflow 'w' can't begin") && Contains("command 'no-such-program-x': no such program") &&
                                     Contains("environment variable 'NO_SUCH_VARIABLE_X': not set") &&
                                     Contains("file 'gate_test.lua': "));
  CHECK_THAT(life.error.message, !Contains("'sh'") && !Contains("'/'"));
  CHECK_THAT(life.error.data, Contains(R"({"kind":"command","name":"no-such-program-x")"));
  CHECK(lab.journal().empty());
}

TEST_CASE("requirements that are met are a verdict, and are not asked again for a run that stands", "[flow][gate]") {
  Lab lab("workflow { requires = 'sh', input = { n = 'integer?' } } return step('a', function() return 1 end)");
  CHECK_FALSE(lab.live(3).ended);
  CHECK(verdicts(lab.journal()) == Names{"requires requires: held", "input input: held"});
  CHECK(result(lab.live()) == "1");
  CHECK(verdicts(lab.journal()).size() == 2);
}

TEST_CASE("a requirement that can't be checked is refused, and a wrong form of one", "[flow][gate]") {
  CHECK_THAT(result("workflow { requires = { services = { 'payments' }, secrets = 'key' } } return 1"),
             Contains("refused gate") && Contains("service 'payments': this version knows no services") && Contains("secret 'key'"));
  CHECK(result("workflow { requires = { services = {}, commands = { 'sh' } } } return 1") == "1");
  CHECK_THAT(result("workflow { requires = { command = 'sh' } } return 1"), Contains("unknown key 'command' of requires: did you mean 'commands'"));
  CHECK_THAT(result("workflow { requires = { env = { HOME = true } } } return 1"), Contains("requires.env must be a list of names"));
  CHECK_THAT(result("workflow { requires = { files = { 7 } } } return 1"), Contains("there is a number in it"));
  CHECK_THAT(result("workflow { requires = { { 'sh' } } } return 1"), Contains("there is a table in it"));
  CHECK_THAT(result("workflow { requires = 7 } return 1"), Contains("requires must be a table"));
  CHECK_THAT(result("workflow { preflight = true } return 1"), Contains("preflight must be a function"));
}

TEST_CASE("a child has gates of its own; its error is raised in the parent", "[flow][gate]") {
  CHECK(result(R"(
    local child = workflow { name = "child", preflight = function(i) return i.n > 0, "n is " .. i.n end, run = function(i) return i.n end }
    local poor = workflow { name = "poor", requires = "no-such-program-x", run = function() end }
    local w = workflow { name = "flow" }
    function w.run()
      local ok, err = pcall(call, "child", { n = 0 })
      local ok2, err2 = pcall(call, "poor")
      return { call("child", { n = 1 }), err.code, err.message, err2.code }
    end
    return { w, child, poor })") == R"([1,"gate","n is 0","gate"])");
}
