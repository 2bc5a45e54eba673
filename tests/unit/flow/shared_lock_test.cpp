// Locks across runs: one run at a time, first come first served, held over the death of a process, circles of waits.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::Lab;
using engine::Life;
using engine::result;
using journal::Kind;

namespace {

// A parent that runs workers side by side; each is in a section that others must not be in.
std::string workers(const std::string& parent, const std::string& worker) {
  return "local parent = workflow { name = 'parent' } function parent.run(input) " + parent +
         " end local worker = workflow { name = 'worker' } function worker.run(input) " + worker +
         " end return { parent, worker }";
}

const char* const k_three = "return map({ 1, 2, 3 }, function(n) return call('worker', { n = n }) end)";
const char* const k_section =
    "return lock('x', { across = 'runs' }, function() local n = input.n "
    "step('in ' .. n, function() effect('in ' .. n) sleep(1) end) step('out ' .. n, function() effect('out ' .. n) end) return n end)";

Lab lab_of(const std::string& script) {
  Lab lab(script);
  lab.workflow = "parent";
  return lab;
}

// What is wrong with the order of "in n" and "out n": a step that was cut may come again.
std::string overlap(const std::vector<std::string>& ledger) {
  std::string inside;
  for (const std::string& effect : ledger) {
    std::string n = effect.substr(effect.find(' ') + 1);
    if (!inside.empty() && n != inside) return effect + " while " + inside + " was inside";
    inside = effect[0] == 'i' ? n : effect[0] == 'o' ? "" : inside;
    if (effect[0] == 'o') inside.clear();
  }
  return {};
}

}  // namespace

TEST_CASE("one run at a time is in a section", "[flow][lock]") {
  Lab lab = lab_of(workers(k_three, k_section));
  CHECK(result(lab.live()) == "[1,2,3]");
  CHECK(lab.ledger() == std::vector<std::string>{"in 1", "out 1", "in 2", "out 2", "in 3", "out 3"});
}

TEST_CASE("a section is held over a crash at every record", "[flow][lock]") {
  bool cut = true;
  uint64_t records = 1;
  for (; cut && records < 100; ++records) {
    INFO("cut after " << records << " records");
    Lab lab = lab_of(workers(k_three, k_section));
    Life life = lab.live(records);
    cut = !life.ended;
    if (cut) life = lab.live();
    CHECK(result(life) == "[1,2,3]");
    std::vector<std::string> ledger = lab.ledger();   // an "out" that was not recorded is done again, before anybody enters
    ledger.erase(std::unique(ledger.begin(), ledger.end()), ledger.end());
    CHECK(overlap(ledger) == "");
  }
  CHECK(records > 20);
}

TEST_CASE("a lock that another run holds too long is a time-out", "[flow][lock]") {
  CHECK(result(lab_of(workers("local h = start('worker', { s = 9 }) sleep(1) "
                              "local ok, e = pcall(lock, 'x', { across = 'runs', timeout = 2 }, function() end) "
                              "local after = lock('x', { across = 'runs' }, function() return 'free' end) return { e.code, after }",
                              "lock('x', { across = 'runs' }, function() sleep(input.s) end)"))
                   .live()) == R"(["timeout","free"])");
}

TEST_CASE("a circle of waits over runs fails its youngest and names it", "[flow][lock]") {
  Life life = lab_of(workers("local a, b = start('worker', { first = 'x', second = 'y', wait = 1 }), "
                             "start('worker', { first = 'y', second = 'x', wait = 2 }) "
                             "local r = {} for i, h in ipairs { a, b } do local ok, v = pcall(h.await, h) r[i] = ok and v or v.code .. ' ' .. v.message end return r",
                             "return lock(input.first, { across = 'runs' }, function() sleep(input.wait) "
                             "return lock(input.second, { across = 'runs' }, function() return 'both' end) end)"))
                  .live();
  CHECK_THAT(result(life), Contains("[\"both\",\"deadlock waiting for lock 'x' would never end"));
}

TEST_CASE("a circle that closes inside of a run is found", "[flow][lock]") {
  // The holder of x waits inside for k, whose holder waits for x of the other run.
  Life life = lab_of(workers("local h = start('worker', {}) return h:await()",
                             "local ok, e = pcall(parallel, { "
                             "function() lock('x', { across = 'runs' }, function() sleep(2) lock('k', function() end) end) end, "
                             "function() lock('k', function() sleep(1) lock('x', { across = 'runs' }, function() end) end) end }) "
                             "return e.code"))
                  .live();
  CHECK(result(life) == "\"deadlock\"");
}

TEST_CASE("a run that ends inside frees its lock, also when nobody executes it", "[flow][lock]") {
  Lab lab = lab_of(workers("local h = start('worker', {}, { id = 'w', detached = true }) sleep(1) h:cancel() pcall(h.await, h) "
                           "return lock('x', { across = 'runs' }, function() return 'free' end)",
                           "lock('x', { across = 'runs' }, function() sleep(1000) end)"));
  CHECK(result(lab.live()) == "\"free\"");
}
