// The constructs of one run, each as a small script in virtual time: what it gives, and that it gives the same when it is
// cut after each record in turn.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/sim/world.hpp"

namespace perilune::sim {
namespace {

constexpr uint64_t k_all = ~0ull;

std::string text_of(const Life& life) {
  if (!life.ended) return "did not end";
  if (life.ending.error != nullptr) return one_line(*life.ending.error);
  return life.ending.output;
}

// The outcome of a script; straight, and after a cut at each record.
std::string outcome(const std::string& script) {
  World straight(script);
  std::string expected = text_of(straight.live(1, k_all));
  uint64_t records = straight.journal().size();
  for (uint64_t cut = 1; cut < records; ++cut) {
    World world(script);
    world.live(1, cut);
    std::string after = text_of(world.live(1, k_all, world.journal().back().at_us));
    if (after != expected) return "cut at record " + std::to_string(cut) + ": " + after + " in place of " + expected;
  }
  return expected;
}

size_t count_of(World& world, journal::Kind kind) {
  size_t count = 0;
  for (const journal::Record& record : world.journal()) count += record.kind == kind;
  return count;
}

}  // namespace

TEST_CASE("a channel hands values over in order and holds back who puts too much", "[constructs]") {
  CHECK(outcome(R"(
    local t, c = {}, channel(1)
    local function saw(what) t[#t + 1] = what end
    spawn("p", function() for i = 1, 4 do c:put(i) saw("put" .. i) end end)
    sleep(1)
    saw("take" .. c:take())
    sleep(1)
    saw(table.concat(c:take(3), "+"))
    sleep(1)
    return table.concat(t, " "))") == R"("put1 take1 put2 put3 put4 2+3+4")");
}

TEST_CASE("zip takes one of each, and what is over stays", "[constructs]") {
  CHECK(outcome(R"(
    local a, b = channel(5), channel(5)
    a:put(1) a:put(2) a:put(3) b:put("x")
    local x, y = channel.zip(a, b)
    spawn("late", function() sleep(1) b:put("y") end)
    local p, q = channel.zip(a, b)
    return table.concat({ x, y, p, q, a:take() }, " "))") == R"("1 x 2 y 3")");
}

TEST_CASE("a cancelled put takes its value back, a cancelled take leaves it", "[constructs]") {
  CHECK(outcome(R"(
    local c = channel()
    local p = spawn("p", function() c:put("gone") end)
    sleep(1) p:cancel() pcall(p.await, p)
    local q = spawn("q", function() c:take() end)
    sleep(1) q:cancel() pcall(q.await, q)
    spawn("r", function() c:put("there") end)
    return c:take())") == R"("there")");
}

TEST_CASE("what can't come is a deadlock that names the wait", "[constructs]") {
  CHECK_THAT(outcome("channel():take()"), Catch::Contains("deadlock") && Catch::Contains("a value of a channel"));
  CHECK_THAT(outcome("local c = channel() channel.zip(c, c)"), Catch::Contains("one channel is there twice"));
  CHECK_THAT(outcome("channel(-1)"), Catch::Contains("capacity"));
}

TEST_CASE("join fires once a cycle; repeats wait or are dropped", "[constructs]") {
  const std::string fill = R"(
    local a, b, c = channel(9), channel(9), channel(9)
    a:put("a1") a:put("a2") b:put("b1") c:put("c1") b:put("b2")
    local t = {}
    spawn("later", function() sleep(1) c:put("c2") a:put("a3") b:put("b3") end)
    local n = join { from = { a, b, c }, need = 2, RESET each = function(v, i)
      t[#t + 1] = (v[1] or "-") .. (v[2] or "-") .. (v[3] or "-")
      if i == 2 then return i end
    end }
    return table.concat(t, " "))";
  auto with = [&](const std::string& reset) { return std::string(fill).replace(fill.find("RESET"), 5, reset); };
  CHECK(outcome(with("reset = 'block',")) == R"("a1b1- a2b2-")");
  CHECK(outcome(with("reset = 'all',")) == R"("a1b1- -b2c2")");
  CHECK_THAT(outcome("join { from = {}, each = print }"), Catch::Contains("at least one channel"));
  CHECK_THAT(outcome("join { form = {}, each = print }"), Catch::Contains("'from'"));
}

TEST_CASE("a lock lets one in at a time, in order, and is given back by an error", "[constructs]") {
  World world(R"(
    local t = {}
    local function section(n) return function()
      lock("account", function() t[#t + 1] = "in" .. n sleep(1) t[#t + 1] = "out" .. n end)
    end end
    parallel { section(1), section(2), section(3) }
    pcall(lock, "account", function() error("no") end)
    t[#t + 1] = lock("account", { timeout = "1s" }, function() return "again" end)
    return table.concat(t, " "))");
  CHECK(text_of(world.live(1, k_all)) == R"("in1 out1 in2 out2 in3 out3 again")");
  CHECK(count_of(world, journal::Kind::lock_taken) == 5);
  CHECK(count_of(world, journal::Kind::lock_released) == 5);
}

TEST_CASE("a wait for a lock ends by its time-out and by cancellation", "[constructs]") {
  CHECK(outcome(R"(
    local t = {}
    parallel {
      function() lock("a", function() sleep(5) end) t[#t + 1] = "left" end,
      function() local ok, e = pcall(lock, "a", { timeout = 2 }, print) t[#t + 1] = e.code end,
      function() local w = spawn("w", function() lock("a", print) end) sleep(1) w:cancel()
        local ok, e = pcall(w.await, w) t[#t + 1] = e.code end,
      function() sleep(0.5) lock("a", { timeout = "1m" }, function() t[#t + 1] = "last" end) end,
    }
    return table.concat(t, " "))") == R"("cancelled timeout left last")");
  CHECK_THAT(outcome("lock('a', { across = 'all' }, print)"), Catch::Contains("runs"));
}

TEST_CASE("a cycle of waits fails its youngest with deadlock", "[constructs]") {
  std::string text = outcome(R"(
    local t = {}
    parallel {
      function() lock("a", function() sleep(1) lock("b", function() t[#t + 1] = "both" end) end) end,
      function() local ok, e = pcall(lock, "b", function() sleep(2) lock("a", print) end) t[#t + 1] = e.code .. ": " .. e.message end,
    }
    return table.concat(t, " "))");
  CHECK_THAT(text, Catch::Contains("deadlock: ") && Catch::Contains("lock 'a' -> task 0.1 -> lock 'b' -> task 0.2"));
  CHECK_THAT(text, Catch::Contains("both"));
  CHECK_THAT(outcome("lock('a', function() lock('a', print) end)"), Catch::Contains("deadlock"));
  CHECK_THAT(outcome("lock('a', function() parallel { function() lock('a', print) end } end)"), Catch::Contains("deadlock"));
  CHECK_THAT(outcome("local t t = spawn('x', function() sleep(1) lock('a', print) end)\n"
                     "lock('a', function() sleep(2) t:await() end)"), Catch::Contains("would never end"));
}

TEST_CASE("a race breaks a cycle as long as one of its branches can go on", "[constructs]") {
  CHECK(outcome("lock('a', function() race { function() lock('a', print) end, function() sleep(1) end } end) return 1") == "1");
  CHECK_THAT(outcome("lock('a', function() race { function() lock('a', print) end, function() sleep(1) lock('a', print) end } end)"),
             Catch::Contains("deadlock") && Catch::Contains("race"));
  CHECK_THAT(outcome("local c = channel() parallel { function() lock('b', print) end, function() c:take() end }"),
             Catch::Contains("nothing can wake"));
}

TEST_CASE("a guard's task lives while the condition holds", "[constructs]") {
  CHECK(outcome(R"(
    local t, open = {}, true
    spawn("closer", function() sleep(2.5) open = false end)
    local v, why = guard(function() return open end, function()
      for i = 1, 9 do sleep(1) step("tick", function() return 1 end) t[#t + 1] = i end
    end)
    t[#t + 1] = tostring(v) .. "," .. why
    t[#t + 1] = guard(function() return not open end, function() sleep(1) return "whole" end)
    t[#t + 1] = select(2, guard(function() return open end, print))
    local ok, e = pcall(guard, function() return sleep(1) end, print)
    t[#t + 1] = e.code
    return table.concat(t, " "))") == R"("1 2 nil,ended whole ended not_yieldable")");
  CHECK_THAT(outcome("guard(function() return true end, function() sleep(1) error('broken') end)"), Catch::Contains("broken"));
}

TEST_CASE("finish ends the run well, whoever calls it; what goes on elsewhere undoes its own", "[constructs]") {
  World world(R"(
    compensate("of main", function() effect("main undone") end)
    parallel {
      function() compensate("of a", function() effect("a undone") end) sleep(9) effect("a") end,
      function() compensate("of b", function() effect("b undone") end) sleep(1) finish { by = "b" } end,
    }
    effect("main went on"))");
  Life life = world.live(1, k_all);
  CHECK(text_of(life) == R"({"by":"b"})");
  CHECK(life.effects == std::vector<std::string>{"a undone"});
  CHECK(outcome("spawn('x', function() sleep(1) finish('x') end) sleep(9) return 'late'") == "\"x\"");
  CHECK(outcome("finish(7)") == "7");
  CHECK_THAT(outcome("finish(print)"), Catch::Contains("a function can't be saved"));
}

TEST_CASE("a shield with a time-out lets a cancellation through in the end", "[constructs]") {
  CHECK(outcome(R"(
    local t = {}
    local function cleanup(limit) return function()
      shield({ timeout = limit }, function() sleep(2) t[#t + 1] = "two" sleep(3) t[#t + 1] = "five" end)
      t[#t + 1] = "after" sleep(1) t[#t + 1] = "never"
    end end
    for _, limit in ipairs { "3s", "1m" } do
      local s = spawn("s", cleanup(limit))
      sleep(1) s:cancel() pcall(s.await, s)
      t[#t + 1] = s.status
    end
    shield({ timeout = 1 }, function() sleep(2) t[#t + 1] = "undisturbed" end)
    return table.concat(t, " "))") == R"("two cancelled two five after cancelled undisturbed")");
}

TEST_CASE("on_error = pause: a step that failed for good pauses the run, a resume tries it anew", "[constructs]") {
  World world(R"(
    workflow { on_error = "pause" }
    step("flaky", { retry = { attempts = 2, backoff = 1 } }, function(a) effect("try " .. a.number) if a.number < 5 then error("no") end return 1 end)
    return "done")");
  CHECK(world.live(1, k_all).ending.status == store::Status::paused);
  Life second = world.live(2, k_all);
  CHECK(second.ending.status == store::Status::paused);
  CHECK(second.effects == std::vector<std::string>{"try 3", "try 4"});
  CHECK(text_of(world.live(3, k_all)) == "\"done\"");
  CHECK_THAT(outcome("workflow { on_error = 'stop' } sleep(1)"), Catch::Contains("on_error must be"));
}

TEST_CASE("a workflow's time counts while steps run, not while it sleeps", "[constructs]") {
  CHECK(outcome("workflow { timeout = 10 } for i = 1, 9 do sleep(4) end step('s', function() sleep(8) end) return 1") == "1");
  CHECK_THAT(outcome("workflow { timeout = 10 } for i = 1, 3 do step('s', function() sleep(4) end) end"),
             Catch::Contains("longer than its timeout"));
}

}  // namespace perilune::sim
