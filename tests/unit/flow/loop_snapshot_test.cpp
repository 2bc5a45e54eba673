// What a resume puts back of a loop: each script runs uncut, then is cut behind every record in turn, its loops saved after
// every iteration; the output must be the same and no step may run again.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Life;
using engine::result;
using Catch::Matchers::Contains;
using journal::Kind;

namespace {

bool always() { return true; }

size_t count(Lab& lab, Kind kind) {
  auto records = lab.journal();
  return static_cast<size_t>(std::count_if(records.begin(), records.end(), [&](const auto& r) { return r.kind == kind; }));
}

// What is wrong with the script when it is cut, or "".
std::string wrong_when_cut(const std::string& script, const std::map<std::string, std::string>& modules = {}) {
  Lab whole(script);
  whole.builtin_modules = modules;
  const std::string expected = result(whole.live());
  for (uint64_t records = 2; records < 400; ++records) {
    Lab lab(script);
    lab.builtin_modules = modules;
    lab.snapshot_due = always;
    Life life = lab.live(records);
    const bool uncut = life.ended;
    std::set<std::string> recorded;
    for (const journal::Record& record : lab.journal())
      if (record.kind == Kind::step_done) recorded.insert(record.name);
    const size_t effects_before = lab.ledger().size();
    if (!uncut) life = lab.live();
    const std::string where = "cut behind record " + std::to_string(records) + ": ";
    if (result(life) != expected) return where + result(life) + " in place of " + expected;
    std::vector<std::string> effects = lab.ledger();
    for (size_t i = effects_before; i < effects.size(); ++i)
      if (recorded.count(effects[i]) != 0) return where + "step " + effects[i] + " ran again";
    for (const std::string& log : life.logs)
      if (log.starts_with("warn")) return where + log;
    if (uncut) return count(lab, Kind::loop_snapshot) > 0 || count(lab, Kind::loop_done) > 0 ? "" : "no loop was there";
  }
  return "it is never uncut";
}

// A loop of four iterations, each with a step, around some code.
std::string script(const std::string& before, const std::string& body, const std::string& after) {
  return before + "\nloop('l', { times = 4 }, function(i)\n" + body + "\nstep('s' .. i, function() effect('s' .. i) end)\nend)\n" + after;
}

void check(const std::string& before, const std::string& body, const std::string& after) {
  INFO(body);
  CHECK(wrong_when_cut(script(before, body, after)) == "");
}

}  // namespace

TEST_CASE("plain variables and tables that the body captured are put back", "[flow][loop]") {
  check("local total = 0", "total = total + i", "return total");
  check("local t = { n = 0 } local alias = t", "if i == 2 then t = { n = 100 } end t.n = t.n + i", "return { t.n, alias.n }");
  check("local list = {}", "list[#list + 1] = i * 1.5", "return list");
  check("local list = { 1, 2, 3, 4, 5 }", "table.remove(list, 1)", "return list");
  check("local s = ''", "s = s .. string.char(250 + i) .. 'ü\"\\\\\\n'", "local n = 0 for c = 1, #s do n = n * 31 + s:byte(c) end return n");
  check("local x, y, z, w = 0, 0, 0, 0", "x, y, z, w = i / 0, -i / 0, 0 / 0, -0.0",
        "return { tostring(x), tostring(y), z ~= z, tostring(1 / w), math.type(w) }");
  check("local big, f = math.maxinteger - 4, 2^53", "big, f = big + 1, f + 2", "return { big, f, math.type(f) }");
  check("local holes = {}", "holes[i * 10] = i holes[-i] = true holes[i + 0.5] = 'half' holes[true] = i",
        "local n = 0 for k, v in pairs(holes) do n = n + 1 end return { n, holes[40], holes[-4], holes[4.5], holes[true] }");
  check("local gone = { a = 1, b = 2, c = 3 }", "gone[({ 'a', 'b', 'c', 'd' })[i]] = nil", "return next(gone) == nil");
}

TEST_CASE("functions share the variables that they shared", "[flow][loop]") {
  check("local n = 0 local function bump() n = n + 1 end local function read() return n end", "bump()", "bump() return read()");
  check("local fns = {}", "local mine = i fns[#fns + 1] = function() mine = mine + 1 return mine end fns[#fns + 1] = function() return mine end",
        "local out = {} for k = 1, #fns, 2 do fns[k]() out[#out + 1] = fns[k + 1]() end return out");
  check("local outs = {} for k = 1, 2 do outs[k] = function() k = k + 10 return k end end", "outs[1]() outs[2]()",
        "return { outs[1](), outs[2]() }");
  check("local make local f = function() return 0 end make = function(g) return function() return g() + 1 end end", "f = make(f)", "return f()");
  check("local f", "local function fact(n) return n < 2 and 1 or n * fact(n - 1) end f = fact", "return f(5)");
  check("local f", "f = function(...) local a, b = ... return { a, b, select('#', ...) } end", "return f(1, 2, 3)");
  check("local f, g", "f = function() return 1 end g = function() return 2 end", "return { f(), g() }");
  check("local out for k = 1, 1 do local x <const>, y = 5, k", "y = y + x", "out = y end return out");
  check("local env = { print = print } local f do local _ENV = env; function f() count = (count or 0) + 1 end end", "f()", "return env.count");
}

TEST_CASE("metatables, cycles, tags and keys that are objects are put back", "[flow][loop]") {
  check("local P = {} P.__index = P function P.add(s, x) s.sum = s.sum + x end local acc = setmetatable({ sum = 0 }, P)", "acc:add(i)",
        "acc:add(1) return acc.sum");
  check("local o", "o = setmetatable({ i = i }, { __index = function(t, k) return k .. t.i end, __len = function() return i end })",
        "return { o.x, #o, pcall(function() getmetatable(o).__gc = print end) }");
  check("local ring = {} ring.me = ring", "ring = { back = ring } ring.me = ring", "local n = 0 local r = ring while r.back do n = n + 1 r = r.back end return { n, r.me == r }");
  check("local list, object, null", "list, object, null = json.array {}, json.object {}, { json.null }", "return { list, object, null }");
  check("local e", "local ok ok, e = pcall(fail, 'no', { code = 'mine', data = { i } })", "return { tostring(e), e.data }");
  check("local set, last = {}, nil", "local k = { i } set[k] = i set[print] = i last = k", "local n = 0 return { set[last], set[print] }");
  check("local shown = {}", "shown[i] = tostring(shown) .. tostring({})", "return { shown, tostring({}), tostring(shown) }");
}

TEST_CASE("globals, modules, input and names of the API are put back", "[flow][loop]") {
  check("count = 0", "count = count + i names = { i }", "return { count, names[1] }");
  check("function helper() return (rawget(_G, 'n') or 0) end", "n = helper() + 1", "return helper()");
  check("local f, g, lib, env", "f, g, lib, env = print, string.format, math, _G", "return { f == print, g('%d', 3), lib == math, env == _G }");
  check("", "input.seen = i", "return input.seen");
  check("", "this_id = this.id", "return this_id");
  const std::string module = "local m = { n = 0 } function m.add(x) m.n = m.n + x return function() return m.n end end return m";
  CHECK(wrong_when_cut(script("local m = require 'm' local f", "f = m.add(i)", "return { f(), require 'm' == m }"), {{"m", module}}) == "");
  CHECK(wrong_when_cut(script("local f", "f = require('m').add(i)", "return { f(), require('m').n }"), {{"m", module}}) == "");
}

TEST_CASE("random numbers, ids and time go on as they would have", "[flow][loop]") {
  check("local r = {}", "r[#r + 1] = math.random(1000) r[#r + 1] = uuid()", "r[#r + 1] = math.random(1000) r[#r + 1] = uuid() return r");
  Lab lab(script("local t = {}", "t[#t + 1] = now()", "return { t, now() }"));
  lab.snapshot_due = always;
  lab.live(9);
  Life life = lab.live();
  CHECK(life.status == store::Status::completed);
  CHECK(lab.live().refused);
}

TEST_CASE("compensations of iterations are kept, and run when the run fails", "[flow][loop]") {
  CHECK(wrong_when_cut(script("compensate('before', function() effect('before') end)",
                              "local mine = i compensate('c' .. i, function() effect('undo ' .. mine) end)\n"
                              "step('u' .. i, { undo = function(r) effect('undo u' .. r.n) end }, function() effect('u' .. i) return { n = i } end)",
                              "error('now')")) == "");
  CHECK(wrong_when_cut(script("compensate('before', function() effect('before') end)",
                              "compensate('c' .. i, function() effect('undo ' .. i) end) if i == 3 then rollback() end",
                              "rollback() return 'done'")) == "");
  CHECK(wrong_when_cut(script("", "pcall(saga, function() compensate('c' .. i, function() effect('undo ' .. i) end) error('no') end)", "return 1")) == "");
  CHECK(wrong_when_cut(script("", "if i == 2 then checkpoint('here') end compensate('c' .. i, function() effect('undo ' .. i) end)",
                              "rollback('here') return 'done'")) == "");
}

TEST_CASE("loops in loops, in a row, in branches, in coroutines and with limit are put back", "[flow][loop]") {
  check("local n = 0", "loop('inner', { times = 3 }, function(k) n = n * 2 + k step('i' .. i .. k, function() effect('i' .. i .. k) end) end)", "return n");
  check("local n = 0", "n = n + i", "loop('second', { times = 3 }, function(k) n = n * 3 + k step('t' .. k, function() effect('t' .. k) end) end) return n");
  CHECK(wrong_when_cut("local n = 0 parallel { function() loop('l', { times = 4 }, function(i) n = n + i step('s' .. i, function() effect('s' .. i) end) end) end } return n") == "");
  CHECK(wrong_when_cut("local n = 0 parallel { function() step('o', function() effect('o') end) n = n * 7 end, "
                       "function() loop('l', { times = 6 }, function(i) n = n + i step('s' .. i, function() effect('s' .. i) end) end) end } return n") == "");
  CHECK(wrong_when_cut("local n = 0 local co = coroutine.wrap(function() loop('l', { times = 4 }, function(i) n = n + i step('s' .. i, function() effect('s' .. i) end) end) "
                       "coroutine.yield(n) return n * 2 end) return { co(), co() }") == "");
  CHECK(wrong_when_cut("local list, seen = {}, {} for i = 1, 70 do list[i] = { n = i } end "
                       "local v = loop('l', { each = list, limit = 2 }, function(item, i) item.n = item.n * 2 seen[i] = item "
                       "if i % 9 == 0 then step('s' .. i, function() effect('s' .. i) end) end if i == 65 then return i end end) "
                       "return { v, #seen, seen[10] == list[10], list[10].n, list[60].n }") == "");
  check("local n = 0", "local a, b = spawn('t', function() n = n + i step('t' .. i, function() effect('t' .. i) end) end) a:await()", "return n");
}

TEST_CASE("what can't be saved is named once, and the loop is replayed in full", "[flow][loop]") {
  struct Case {
    const char* before;
    const char* body;
    const char* named;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"local co = coroutine.create(function() end)", "co = co", "'co'"},
           {"local t = spawn('t', function() end)", "t:await()", "'t'"},
           {"local box = {}", "box.it = string.gmatch('a', 'a')", "'box'"},
           {"local f", "f = load('return ' .. i)", "'f'"},
           {"local set = { [{}] = 1, [{}] = 2 }", "set = set", "'set'"},
       }) {
    INFO(one.named);
    Lab lab(script(one.before, one.body, "return 'done'"));
    lab.snapshot_due = always;
    Life life = lab.live();
    CHECK(result(life) == "\"done\"");
    CHECK(count(lab, Kind::loop_snapshot) == 0);
    CHECK(count(lab, Kind::step_done) == 4);
    size_t warnings = 0;
    for (const std::string& log : life.logs)
      if (log.find("loop 'l' can't be saved") != std::string::npos && log.find(one.named) != std::string::npos) ++warnings;
    CHECK(warnings == 1);
  }
}

TEST_CASE("records before the newest snapshot go, but for those of the last iterations", "[flow][loop]") {
  for (int keep : {0, 1, 3}) {
    Lab lab("loop('l', { times = 10, keep = " + std::to_string(keep) + " }, function(i) step('s' .. i, function() end) end) step('after', function() end)");
    lab.snapshot_due = always;
    CHECK(lab.live().status == store::Status::completed);
    std::vector<std::string> steps;
    for (int i = 11 - keep; i <= 10; ++i) steps.push_back("step_done s" + std::to_string(i));
    steps.push_back("step_done after");
    INFO(keep);
    CHECK(lab.recorded({Kind::step_done}) == steps);
    CHECK(count(lab, Kind::loop_snapshot) == 0);
    CHECK(count(lab, Kind::loop_done) == 1);
  }
}
