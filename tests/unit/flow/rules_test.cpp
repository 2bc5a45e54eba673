// Business rules: hooks with a name and a message. What a broken one does, what is recorded of it, and the tallies at the end.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>

#include "bindings/lua/host.hpp"
#include "runtime/flow/gate.hpp"
#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;
using Names = std::vector<std::string>;

namespace {

// "max spend broken: over budget", and at the end "max spend 3/1"
Names said(const std::vector<journal::Record>& records) {
  Names names;
  for (const journal::Record& record : records) {
    auto verdict = flow::verdict_of(record);
    if (!verdict || verdict->gate != flow::k_gate_rule) continue;
    if (record.op == 0) names.push_back(record.name + " " + std::to_string(verdict->checked) + "/" + std::to_string(verdict->broken));
    else names.push_back(record.name + " broken: " + verdict->message);
  }
  return names;
}

const std::string k_spending = R"(
  local w = workflow { name = "flow", rules = {
    { "max spend", { on = "step.before", step = "charge" }, function(e) return e.input < 500 end, "over budget" },
    { "no gifts", { on = "step.after" }, function(e) return e.result ~= 0, "step " .. e.step .. " gave nothing" end, "a gift" },
  } }
  function w.run()
    local results = {}
    for i, amount in ipairs { 100, 900, 0 } do
      local ok, value = pcall(step, "charge", { input = amount }, function(_, n) effect("charge " .. n) return n end)
      results[i] = ok and value or value.code .. ": " .. value.message
    end
    step("mail", function() effect("mail") return 1 end)
    return results
  end
  return w)";
const char* k_spent = R"([100,"denied: rule 'max spend': over budget",0])";
const Names k_said = {"max spend broken: over budget", "no gifts broken: step charge gave nothing", "max spend 3/1", "no gifts 3/1"};

}  // namespace

TEST_CASE("a broken rule denies what it stands before, and warns after it; both are counted", "[flow][rules]") {
  Lab lab(k_spending);
  Life life = lab.live();
  CHECK(result(life) == k_spent);
  CHECK(life.effects == Names{"charge 100", "charge 0", "mail"});
  CHECK(said(lab.journal()) == k_said);
  REQUIRE(life.logs.size() == 1);
  CHECK_THAT(life.logs[0], StartsWith("warn: rule 'no gifts' is broken: step charge gave nothing") && Contains("\"rule\":\"no gifts\""));
}

TEST_CASE("rules survive a crash at every record: each broken one is recorded once, the counts are right", "[flow][rules][crash]") {
  Lab whole(k_spending);
  whole.live();
  uint64_t total = whole.journal().size();
  for (uint64_t cut = 1; cut < total; ++cut) {
    INFO("cut after record " << cut);
    Lab lab(k_spending);
    CHECK_FALSE(lab.live(cut).ended);
    CHECK(result(lab.live()) == k_spent);
    CHECK(said(lab.journal()) == k_said);
  }
}

TEST_CASE("rule() in a script does the same; a handle removes it", "[flow][rules]") {
  Lab lab(R"(
    local r = rule("calm", { on = "step.*", priority = 5 }, function(e) effect(e.point) return e.step ~= "loud" end, "too loud")
    step("quiet", function() end)
    local ok, e = pcall(step, "loud", function() effect("loud") end)
    r:remove()
    step("loud", function() effect("loud again") end)
    return e.message)");
  Life life = lab.live();
  CHECK(result(life) == R"("rule 'calm': too loud")");
  CHECK(life.effects == Names{"step.before", "step.after", "step.before", "step.fail", "loud again"});
  CHECK(said(lab.journal()).back() == "calm 4/2");
}

TEST_CASE("a check that breaks is a broken rule; one that gives nothing too", "[flow][rules]") {
  auto with = [](const std::string& check) {
    return "rule('r', { on = 'step.before' }, function(e) " + check + " end, 'no') step('s', function() effect('s') end)";
  };
  Life life = run(with("error('cannot tell')"));
  CHECK_THAT(result(life), StartsWith("failed denied: rule 'r': no (its check failed: ") && Contains("cannot tell"));
  CHECK(life.effects.empty());
  CHECK(result(with("return")) == "failed denied: rule 'r': no");
  CHECK(result(with("return false, 'not now'")) == "failed denied: rule 'r': not now");
  CHECK(result(with("return 1")) == "null");
}

TEST_CASE("a check may await; what it does is the run's", "[flow][rules]") {
  Lab lab("rule('slow', { on = 'step.before', step = 's' }, function(e) sleep(2) return step('ask', function() effect('ask') return true end) end, 'no') "
          "return step('s', function() return 1 end)");
  Life life = lab.live();
  CHECK(result(life) == "1");
  CHECK(life.seconds() == Approx(2).margin(0.1));
  CHECK(said(lab.journal()) == Names{"slow 1/0"});   // what a hook does meets none
}

TEST_CASE("the counts of a loop are right also when it goes on from a snapshot", "[flow][rules]") {
  const std::string script = R"(
    rule("small", { on = "step.before", step = "s" }, function(e) return e.input % 3 ~= 0 end, "a third")
    loop("l", { times = 9, keep = 0 }, function(i) pcall(step, "s", { input = i }, function() end) end))";
  Lab whole(script);
  whole.snapshot_due = [] { return true; };
  whole.live();
  CHECK(said(whole.journal()).back() == "small 9/3");
  for (uint64_t cut = 2; cut < 30; ++cut) {
    INFO("cut after record " << cut);
    Lab lab(script);
    lab.snapshot_due = [] { return true; };
    lab.live(cut);
    lab.live();
    CHECK(said(lab.journal()).back() == "small 9/3");
  }
}

TEST_CASE("a run that fails has its tallies too", "[flow][rules]") {
  Lab lab("rule('r', { on = 'step.before' }, function() return false end, 'no') step('s', function() end)");
  CHECK(lab.live().error.code == "denied");
  CHECK(said(lab.journal()) == Names{"r broken: no", "r 1/1"});
  CHECK(lab.journal().back().kind == journal::Kind::run_done);
}

TEST_CASE("in a file that is itself the workflow its rules hold from where workflow{} stands", "[flow][rules]") {
  CHECK(result("workflow { rules = { { 'r', { on = 'step.before' }, function() return false end, 'no' } } } step('s', function() end)") ==
        "failed denied: rule 'r': no");
  CHECK_THAT(result("step('a', function() end) workflow { rules = {} } return 1"), Contains("`rules` counts from the beginning on"));
}

TEST_CASE("a wrong rule is refused where it is written", "[flow][rules]") {
  const std::string rest = ", function() return true end, 'no')";
  CHECK_THAT(result("rule('r', {}" + rest), Contains("rule 'r': say at which point it is checked"));
  CHECK_THAT(result("rule('r', { on = 'step.bfore' }" + rest), Contains("step.before"));
  CHECK_THAT(result("rule('r', { on = 'step.before', stepp = 'a' }" + rest), Contains("unknown option 'stepp' of rule: did you mean 'step'"));
  CHECK_THAT(result("rule('r', { on = 'order.*', step = 'a' }" + rest), Contains("nothing at 'order.*' is a step"));
  CHECK_THAT(result("rule('r', { on = 'step.before' }, function() end)"), Contains("rule: the message must be a string"));
  CHECK_THAT(result("rule('', { on = 'step.before' }" + rest), Contains("the name must not be empty"));
  CHECK_THAT(result("workflow { rules = { { 'r' } } } return 1"), Contains("workflow: rules[1] has not four parts: a rule is { "));
  CHECK_THAT(result("workflow { rules = { a = 1 } } return 1"), Contains("rules must be a list"));
  CHECK_THAT(result("workflow { rules = { { 'r', { on = 'step.before' }, 7, 'no' } } } return 1"), Contains("rules[1] has no check"));
}
