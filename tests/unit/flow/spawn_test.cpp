// spawn and group: tasks beside the one that made them.
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

TEST_CASE("a spawned task runs beside its maker and gives its value when awaited", "[flow][spawn]") {
  Life life = run(R"(
    local t = spawn("t", function() effect("t begins") sleep(2) return { n = 1 } end)
    effect("main goes on")
    local before = t.status
    local value = t:await()
    return { before, value.n, t.status, t:await() == value })");
  CHECK(result(life) == R"(["running",1,"done",true])");
  CHECK(life.effects == std::vector<std::string>{"main goes on", "t begins"});
  CHECK(result("return spawn(function() return 5 end):await()") == "5");
  CHECK(result("local t = spawn('t', function() end) return tostring(t:await())") == "\"nil\"");
}

TEST_CASE("a run ends after its tasks, a branch after those that it spawned", "[flow][spawn]") {
  Life life = run("spawn('t', function() sleep(5) effect('t') end) return 1");
  CHECK(result(life) == "1");
  CHECK(life.effects == std::vector<std::string>{"t"});
  life = run("parallel { function() spawn('t', function() sleep(5) effect('t') end) end } effect('joined')");
  CHECK(life.effects == std::vector<std::string>{"t", "joined"});
}

TEST_CASE("awaiting a task that failed raises its error, and then it is dealt with", "[flow][spawn]") {
  CHECK(result("local t = spawn('t', function() fail('no', { code = 'mine' }) end) "
               "local ok, e = pcall(t.await, t) return { e.code, t.status }") == R"(["mine","failed"])");
}

TEST_CASE("the error of a task that nobody awaits fails its scope", "[flow][spawn]") {
  CHECK(result("spawn('t', function() error('alone', 0) end) sleep(1) return 1") == "failed script: alone");
  CHECK(result("local ok, e = pcall(parallel, { function() spawn('t', function() error('alone', 0) end) end }) return "
               "e.message") == "\"alone\"");
  Life life = run("spawn('a', function() sleep(1) error('alone', 0) end) spawn('b', function() work('b', 60) end)");
  CHECK(result(life) == "failed script: alone");
  CHECK(life.effects == std::vector<std::string>{"b", "cancelled b"});
}

TEST_CASE("the error of the maker cancels what it spawned", "[flow][spawn]") {
  Life life = run("spawn('b', function() work('b', 60) end) sleep(1) error('mine', 0)");
  CHECK(result(life) == "failed script: mine");
  CHECK(life.effects == std::vector<std::string>{"b", "cancelled b"});
}

TEST_CASE("t:cancel ends a task, which then fails nobody", "[flow][spawn]") {
  Life life = run(R"(
    local t = spawn("t", function() work("t", 60) end)
    sleep(1)
    t:cancel() t:cancel()
    local ok, e = pcall(t.await, t)
    return { ok, e.code, t.status })");
  CHECK(result(life) == R"([false,"cancelled","cancelled"])");
  CHECK(result("local t = spawn('t', function() sleep(60) end) sleep(1) t:cancel() return 1") == "1");
  CHECK(result("local t = spawn('t', function() return 1 end) t:await() t:cancel() return t.status") == "\"done\"");
  CHECK(result("local t = spawn('t', function() effect('never') end) t:cancel() return 1") == "1");
}

TEST_CASE("the journal tells of spawned tasks and members of groups, and once in all lives", "[flow][spawn]") {
  const std::vector<std::string> told = {
      R"(0.1 branch_started "watch \"it\"" )", "0.2 branch_started 1 ", R"(0.2 branch_done 1 {"value":1})",
      "0.3 branch_started 2 ", R"(0.1 branch_done "watch \"it\"" {"value":{"n":1}})", R"(0.3 branch_done 2 {"value":2})",
      R"(0.4 branch_started "task" )", R"(0.4 branch_done "task" {"error":{"code":"mine",)",
      R"(0.5 branch_started "left" )", R"(0.5 branch_done "left" {"cancelled":true,"error)"};
  for (uint64_t cut = 1; cut < 24; ++cut) {
    Lab lab(R"(
      local t = spawn("watch \"it\"", function() sleep(2) return { n = 1 } end)
      local g = group { limit = 1 }
      for i = 1, 2 do g:add(function() sleep(1) return i end) end
      g:close() g:wait()
      pcall(t.await, t)
      sleep(1)
      t = spawn(function() fail("no", { code = "mine" }) end)
      pcall(t.await, t)
      spawn("left", function() sleep(60) end)
      sleep(1)
      fail("it is over"))");
    lab.live(cut);
    lab.live();
    std::vector<std::string> seen;
    for (const journal::Record& record : lab.journal())
      if (record.kind == journal::Kind::branch_started || record.kind == journal::Kind::branch_done)
        seen.push_back(record.task + " " + std::string(kind_name(record.kind)) + " " + record.name + " " +
                       record.data.substr(0, 24));
    INFO("cut after " << cut);
    CHECK(seen == told);
  }
}

TEST_CASE("a task can be awaited by several, but not by itself", "[flow][spawn]") {
  CHECK(result("local t = spawn('t', function() sleep(1) return 7 end) "
               "return parallel { function() return t:await() end, function() return t:await() end }") == "[7,7]");
  CHECK_THAT(result("local t t = spawn('t', function() sleep(1) t:await() end) t:await()"),
             StartsWith("failed deadlock"));
}

TEST_CASE("tasks that wait for each other end the run with deadlock, which names them", "[flow][spawn]") {
  Life life = run(R"(
    local a, b
    a = spawn("a", function() sleep(1) b:await() end)
    b = spawn("b", function() sleep(1) a:await() end)
    a:await())");
  CHECK(life.error.code == "deadlock");
  CHECK(life.status == store::Status::failed);
  CHECK_THAT(life.error.message, Contains("task 0.1") && Contains("task 0.2"));
  life = run("local g = group {} g:add(function() end) parallel('both', { function() g:wait() end })");
  CHECK(life.error.code == "deadlock");
  CHECK_THAT(life.error.message, Contains("both") && Contains("not closed yet"));
}

TEST_CASE("wrong arguments of spawn and group are refused", "[flow][spawn]") {
  for (const char* call : {"spawn('t')", "spawn(5, function() end)", "spawn('t', 5)", "group { limt = 1 }",
                           "group { limit = 0 }", "group(5)", "group{}:add(5)", "group{}:wait { neeed = 1 }",
                           "group{}:wait { need = 'soon' }", "group{}:wait { enough = 5 }"}) {
    Life life = run(std::string("return ") + call);
    INFO(call << " -> " << result(life));
    CHECK(life.error.code == "usage");
  }
}

TEST_CASE("a group's wait gives the values of its members in the order of adding", "[flow][group]") {
  Life life = run(R"(
    local g = group { limit = 2 }
    for i = 1, 4 do g:add(function() sleep(i == 1 and 5 or 1) return i * 10 end) end
    g:close()
    local values, info = g:wait()
    return { values, info })");
  CHECK(result(life) ==
        R"([[10,20,30,40],{"cancelled":0,"done":4,"failed":0,"order":[2,3,4,1],"reason":"all","total":4}])");
  CHECK(life.seconds() == Approx(5).margin(0.1));
  CHECK(result("local g = group {} g:close() return (g:wait())") == "[]");
}

TEST_CASE("members may add members, until the group is closed", "[flow][group]") {
  CHECK(result(R"(
    local g = group {}
    g:add(function() sleep(1) g:add(function() sleep(1) g:close() return "second" end) return "first" end)
    return (g:wait()))") == R"(["first","second"])");
  CHECK_THAT(result("local g = group {} g:close() g:add(function() end)"),
             StartsWith("failed usage: the group is closed"));
  CHECK_THAT(result("local g parallel { function() g = group {} end } g:add(function() end)"),
             StartsWith("failed usage: the group has ended"));
}

TEST_CASE("the first error of a group cancels the others and is raised by wait", "[flow][group]") {
  Life life = run(R"(
    local g = group { limit = 2 }
    g:add(function() work("a", 60) end)
    g:add(function() sleep(1) error("no", 0) end)
    g:add(function() effect("never") end)
    g:close()
    g:wait())");
  CHECK(result(life) == "failed script: no");
  CHECK(life.effects == std::vector<std::string>{"a", "cancelled a"});
}

TEST_CASE("the error of a group that nobody waits for fails its scope", "[flow][group]") {
  CHECK(result("local g = group {} g:add(function() error('alone', 0) end) g:close() sleep(1) return 1") ==
        "failed script: alone");
}

TEST_CASE("wait need goes on when so many succeeded; the others run on", "[flow][group]") {
  Life life = run(R"(
    local g = group {}
    for i = 1, 3 do g:add(function() sleep(i) effect("m" .. i) return i end) end
    g:add(function() error("one fails", 0) end)
    local values, info = g:wait { need = 2 }
    effect("enough")
    return { values[1], values[2], values[3] == nil, info.done, info.failed, info.reason })");
  CHECK(result(life) == R"([1,2,true,2,1,"need"])");
  CHECK(life.effects == std::vector<std::string>{"m1", "m2", "enough", "m3"});
  life =
      run("local g = group {} g:add(function() error('no', 0) end) g:add(function() return 1 end) g:close() g:wait { "
          "need = 2 }");
  CHECK_THAT(life.error.message, Contains("need 2 can no longer be met"));
  CHECK(life.error.suppressed.size() == 1);
}

TEST_CASE("wait now stops what is unfinished and goes on with what is there", "[flow][group]") {
  Life life = run(R"(
    local g = group { limit = 2 }
    g:add(function() return "a" end)
    g:add(function() work("b", 60) end)
    g:add(function() error("failed", 0) end)
    g:add(function() work("c", 60) end)
    g:add(function() effect("never") end)
    sleep(2)
    local values, info = g:wait { need = "now" }
    return { values[1], info.done, info.failed, info.cancelled, info.total })");
  CHECK(result(life) == R"(["a",1,1,3,5])");
  CHECK(life.effects == std::vector<std::string>{"b", "c", "cancelled b", "cancelled c"});
}

TEST_CASE("wait enough asks after each end, and cancel stops the rest", "[flow][group]") {
  Life life = run(R"(
    local g = group {}
    for i = 1, 5 do g:add(function() sleep(i) return i end) end
    local asked = 0
    local values, info = g:wait { enough = function(done, info)
      asked = asked + 1
      local sum = 0
      for _, v in pairs(done) do sum = sum + v end
      return sum >= 6
    end }
    g:cancel()
    return { asked, info.done, info.reason })");
  CHECK(result(life) == R"([3,3,"need"])");
  CHECK(life.seconds() == Approx(3).margin(0.1));
}

TEST_CASE("wait enough asks also after a member that failed, and ends when none is left", "[flow][group]") {
  CHECK(result(R"(
    local g = group {}
    g:add(function() sleep(1) return 1 end)
    g:add(function() sleep(2) error("no", 0) end)
    g:close()
    local failed = {}
    local values, info = g:wait { enough = function(done, info) failed[#failed + 1] = info.failed return false end }
    return { failed, values[1], info.done, info.failed, info.reason })") == R"([[0,1],1,1,1,"all"])");
}

TEST_CASE("g:cancel ends the members, and the maker's failure those that still queue", "[flow][group]") {
  Life life =
      run("local g = group { limit = 1 } g:add(function() work('a', 60) end) g:add(function() effect('never') end) "
          "sleep(1) g:cancel() return 1");
  CHECK(result(life) == "1");
  CHECK(life.effects == std::vector<std::string>{"a", "cancelled a"});
  life =
      run("local g = group { limit = 1 } g:add(function() work('a', 60) end) g:add(function() effect('never') end) "
          "sleep(1) error('mine', 0)");
  CHECK(result(life) == "failed script: mine");
  CHECK(life.effects == std::vector<std::string>{"a", "cancelled a"});
}

TEST_CASE("groups and tasks end the same after a crash at any record", "[flow][group]") {
  const std::string script = R"(
    local sum = 0
    local g = group { limit = 2 }
    for i = 1, 4 do
      g:add(function()
        local n = step("m" .. i, function() effect("m" .. i) sleep(5 - i) return i end)
        sum = sum + n
        return n
      end)
    end
    local t = spawn("t", function() sleep(2) return step("t", function() effect("t") return 100 end) end)
    local some, info = g:wait { need = 2 }
    local first = t:await()
    g:close()
    local all = g:wait()
    return { sum, first, all, info.reason })";
  for (uint64_t records = 1; records < 30; ++records) {
    Lab lab(script);
    Life life = lab.live(records);
    if (!life.ended) life = lab.live();
    INFO("cut after record " << records);
    CHECK(result(life) == R"([10,100,[1,2,3,4],"need"])");
  }
}
