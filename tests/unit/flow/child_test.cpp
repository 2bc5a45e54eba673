// Runs that begin other runs: outputs, errors, ids, cancellation, crashes at every record, and children that are paused.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Life;
using engine::result;
using journal::Kind;
using store::Status;

namespace {

// A parent with this body, and the children that it may call.
std::string family(const std::string& body) {
  return R"(
local parent = workflow { name = "parent" }
function parent.run(input) )" + body + R"( end
local double = workflow { name = "double", input = { n = "integer" } }
function double.run(input) return step("double " .. input.n, function() effect("double " .. input.n) return input.n * 2 end) end
local slow = workflow { name = "slow", version = 2 }
function slow.run(input)
  step("begun", { undo = function() effect("undone") end }, function() effect("begun") end)
  sleep(input.seconds)
  return "slept"
end
local failing = workflow { name = "failing" }
function failing.run() fail("no luck", { code = "luck", data = { 7 } }) end
local odd = workflow { name = "odd" }
function odd.run() return { error = "not one", value = 1 } end
local stuck = workflow { name = "stuck", on_error = "pause" }
function stuck.run() return step("flaky", { retry = 1 }, function() effect("flaky") if FLAKY_FAILS then error("down") end return "up" end) end
return { parent, double, slow, failing, odd, stuck }
)";
}

Lab lab_of(const std::string& body) {
  std::string script = family(body);
  script.replace(script.find("FLAKY_FAILS"), 11, "false");   // see the last test
  Lab lab(script);
  lab.workflow = "parent";
  return lab;
}

std::string run_family(const std::string& body) {
  Lab lab = lab_of(body);
  return result(lab.live());
}

std::map<std::string, Status> children_of(Lab& lab) {
  auto store = store::make_memory_store({lab.disk(), {}, {}});
  std::map<std::string, Status> children;
  auto rows = store->reader()->list({});
  for (const store::RunRow& row : *rows)
    if (row.id != lab.id) children[row.workflow + " " + row.input] = row.status;
  return children;
}

std::set<std::string> recorded_steps(Lab& lab) {
  auto store = store::make_memory_store({lab.disk(), {}, {}});
  std::set<std::string> names;
  auto rows = store->reader()->list({});
  for (const store::RunRow& row : *rows) {
    auto records = store->reader()->records(row.no, 1, 0);
    for (const journal::Record& record : *records)
      if (record.kind == Kind::step_done) names.insert(record.name);
  }
  return names;
}

// The result when the process dies after so many records and goes on; or what is wrong.
std::string cut_result(const std::string& body, uint64_t records, bool& was_cut) {
  Lab lab = lab_of(body);
  Life life = lab.live(records);
  was_cut = !life.ended;
  for (int lives = 0; !life.ended && lives < 4; ++lives) {
    std::set<std::string> recorded = recorded_steps(lab);
    size_t before = lab.ledger().size();
    life = lab.live(lives == 0 ? records / 2 + 1 : engine::k_all_records);
    for (size_t i = before; i < lab.ledger().size(); ++i)
      if (recorded.count(lab.ledger()[i]) != 0) return "step " + lab.ledger()[i] + " ran again";
  }
  for (auto& [child, status] : children_of(lab))
    if (life.ended && !store::is_final(status)) return "child " + child + " is left " + std::string(status_name(status));
  return result(life);
}

}  // namespace

TEST_CASE("what a child gives is data, whatever its fields are called", "[flow][child]") {
  CHECK(run_family("return call('odd', {}).error") == "\"not one\"");
}

TEST_CASE("call gives the output of another workflow of the same file", "[flow][child]") {
  CHECK(run_family("return call('double', { n = 4 })") == "8");
  CHECK(run_family("return map({ 1, 2, 3 }, function(n) return call('double', { n = n }) end)") == "[2,4,6]");
  CHECK(run_family("return call('slow@2', { seconds = 1 })") == "\"slept\"");
}

TEST_CASE("the error of a child is raised where it is called, with its code and data", "[flow][child]") {
  CHECK(run_family("local ok, e = pcall(call, 'failing') return { e.code, e.message, e.data[1] }") == R"(["luck","no luck",7])");
  CHECK(run_family("call('failing')") == "failed luck: no luck");
  CHECK(run_family("local h = start('failing') sleep(1) return 1") == "failed luck: no luck");   // nobody awaited it
  CHECK(run_family("local h = start('failing') return tostring(select(2, pcall(h.await, h)))") == R"("luck: no luck")");
}

TEST_CASE("a call that can't begin says why", "[flow][child]") {
  CHECK(run_family("return tostring(select(2, pcall(call, 'double', { n = 'x' })))") ==
        R"("validation: input.n: \"x\" is not an integer")");
  CHECK(run_family("call('nobody')").find("failed not_found: no workflow 'nobody': flow.lua does not define it") == 0);
  CHECK(run_family("call('slow@1')") == "failed not_found: no workflow 'slow@1': flow.lua has version 2");
  CHECK(run_family("call('slow@x')").find("failed usage: 'slow@x' is no workflow") == 0);
  CHECK(run_family("start('double', { n = 1 }, { id = '../x' })").find("failed usage: start: option 'id'") == 0);
  CHECK(run_family("start('double', { n = 1 }, { detach = true })").find("detached") != std::string::npos);
}

TEST_CASE("an id that stands with the same input gives that run, with another one a conflict", "[flow][child]") {
  CHECK(run_family("local a = start('double', { n = 1 }, { id = 'd-1' }) local b = start('double', { n = 1 }, { id = 'd-1' }) "
                   "local ok, e = pcall(start, 'double', { n = 2 }, { id = 'd-1' }) "
                   "return { a.id, b.id, a:await(), b:await(), e.code }") == R"(["d-1","d-1",2,2,"conflict"])");
}

TEST_CASE("a child is cancelled with its parent, and ends before it", "[flow][child]") {
  const char* body = "local v, k = race { slow = function() return call('slow', { seconds = 100 }) end, "
                     "fast = function() sleep(1) return 1 end } effect('raced') return v";
  Lab lab = lab_of(body);
  CHECK(result(lab.live()) == "1");
  CHECK(lab.ledger() == std::vector<std::string>{"begun", "undone", "raced"});
  CHECK(children_of(lab)[R"(slow {"seconds":100})"] == Status::cancelled);
}

TEST_CASE("a handle sends, cancels, and tells the id", "[flow][child]") {
  CHECK(run_family("local h = start('slow', { seconds = 100 }, { id = 's' }) sleep(1) h:cancel() "
                   "return { h.id, (select(2, pcall(h.await, h))).code }") == R"(["s","cancelled"])");
  CHECK(run_family("local h = start('slow', { seconds = 100 }, { detached = true }) sleep(1) h:cancel() "
                   "return (select(2, pcall(h.await, h))).code") == R"("cancelled")");
}

TEST_CASE("a detached run goes on when the run that began it is cancelled", "[flow][child]") {
  Lab lab = lab_of("start('slow', { seconds = 100 }, { detached = true }) error('over')");
  CHECK(result(lab.live()) == "failed script: flow.lua:3: over");
  CHECK(children_of(lab)[R"(slow {"seconds":100})"] == Status::completed);
}

TEST_CASE("a child that sleeps for days costs no memory, and wakes its parent", "[flow][child]") {
  Lab lab = lab_of("return { call('slow', { seconds = 200000 }), call('double', { n = 1 }) }");
  Life life = lab.live();
  CHECK(result(life) == R"(["slept",2])");
  CHECK(life.seconds() > 200000);
}

TEST_CASE("runs with children survive a crash at every record", "[flow][child]") {
  const char* body = R"(
    local sum = 0
    parallel {
      function() sum = sum * 3 + call('double', { n = 1 }) end,
      function() sum = sum * 3 + call('double', { n = 2 }) end,
      function() race { function() call('slow', { seconds = 50 }) end, function() sleep(2) end } end,
    }
    local h = start('double', { n = 3 }, { id = 'third' })
    local d = start('double', { n = 4 }, { detached = true })
    return { call('double', { n = 5 }), h:await(), d:await(), (select(2, pcall(call, 'failing'))).code })";
  const std::string expected = run_family(body);
  REQUIRE(expected == R"([10,6,8,"luck"])");
  bool cut = true;
  uint64_t records = 1;
  for (; cut && records < 200; ++records) {
    INFO("cut after " << records << " records");
    CHECK(cut_result(body, records, cut) == expected);
  }
  CHECK(records > 25);
}

TEST_CASE("a paused child leaves its parent waiting, and both go on later", "[flow][child]") {
  std::string script = family("return call('stuck')");
  Lab lab(script);
  lab.script.replace(lab.script.find("FLAKY_FAILS"), 11, "now() < 1700000100");
  lab.workflow = "parent";
  Life life = lab.live();
  CHECK(life.ended);
  CHECK(life.status == Status::waiting);
  CHECK(life.error.code == "paused");
  CHECK(lab.row().status == Status::waiting);
  lab.wait(200'000'000);
  CHECK(result(lab.live()) == R"("up")");
  CHECK(lab.row().error.empty());   // of the life that was left waiting
}

TEST_CASE("a compensation may be a run of a workflow, which is begun once wherever the process dies", "[flow][child][undo]") {
  const std::string body = R"(
    compensate("give back", "double", { n = 21 })
    compensate("no input", "odd")
    error("broken"))";
  Lab whole = lab_of(body);
  Life life = whole.live();
  CHECK(life.status == Status::failed);
  CHECK(life.effects == std::vector<std::string>{"double 21"});
  CHECK(whole.recorded({Kind::compensation_done}) ==
        std::vector<std::string>{"compensation_done no input", "compensation_done give back"});
  uint64_t records = 40;   // of all runs: more than there are
  for (uint64_t cut = 1; cut < records; ++cut) {
    Lab lab = lab_of(body);
    lab.live(cut);
    Life second = lab.live();
    INFO("cut after record " << cut);
    CHECK(lab.row().status == Status::failed);
    auto children = children_of(lab);
    CHECK(children == std::map<std::string, Status>{{"double {\"n\":21}", Status::completed}, {"odd {}", Status::completed}});
    if (second.ended == false) break;
  }
}

TEST_CASE("a compensating run that fails is tried again by a new one, and at last pauses the run", "[flow][child][undo]") {
  Lab lab = lab_of("compensate(\"give back\", \"failing\") error(\"broken\")");
  Life life = lab.live();
  CHECK(life.status == Status::paused);
  CHECK(life.error.message == "no luck");
  auto store = store::make_memory_store({lab.disk(), {}, {}});
  auto rows = store->reader()->list({});
  CHECK(std::count_if(rows->begin(), rows->end(), [](const auto& row) { return row.workflow == "failing"; }) == 3);
}

TEST_CASE("compensate refuses what is neither function nor name", "[flow][child][undo]") {
  CHECK(run_family("compensate('x', 7)").find("the action must be a function or the name of a workflow, not a number") != std::string::npos);
  CHECK(run_family("compensate('x', 'double', { print })").find("can't be saved") != std::string::npos);
}
