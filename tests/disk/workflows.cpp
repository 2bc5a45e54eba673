// See workflows.hpp. Each step notes its own name with effect(), as the first thing that it does.
// SPDX-License-Identifier: MIT
#include "tests/disk/workflows.hpp"

namespace perilune::disk {

const std::vector<Workflow>& workflows() {
  static const std::vector<Workflow> k_workflows = {
      {"linear", R"(
        local sum = 0
        for i = 1, 6 do sum = sum + step("s" .. i, function() effect("s" .. i) return i end) end
        return sum)"},
      {"parallel", R"(
        local r = parallel {
          a = function() sleep(1) return step("a", function() effect("a") return 1 end) end,
          b = function() return step("b", function() effect("b") sleep(2) return 2 end) end,
          c = function() return #map({ 1, 2, 3 }, function(x) return step("m" .. x, function() effect("m" .. x) return x end) end) end,
        }
        return r.a + r.b + r.c)"},
      {"retry", R"(
        local ok, e = pcall(step, "hopeless", { retry = { 2, backoff = "1s" } }, function() error("no") end)
        return { ok = ok, n = step("third", { retry = { backoff = "1s" } }, function(t)
          if t.number < 3 then error("again") end
          effect("third")
          return t.number
        end) })"},
      {"timer", R"(
        step("before", function() effect("before") end)
        sleep("an hour", "1h")
        local got, why = receive("never", { timeout = "10m" })
        return step("after", function() effect("after") return why end))"},
      {"signal", R"(
        send(this.id, "note", { n = 1 })
        send(this.id, "note", { n = 2 })
        local one = receive("note").n
        step("between", function() effect("between") end)
        return one * 10 + receive("note").n)"},
      {"child", R"(
        local parent = workflow { name = "parent" }
        function parent.run()
          local h = start("worker", { n = 3 }, { id = "second" })
          return call("worker", { n = 2 }) + h:await()
        end
        local worker = workflow { name = "worker", input = { n = "integer" } }
        function worker.run(input)
          local sum = 0
          for i = 1, input.n do sum = sum + step("w" .. input.n .. i, function() effect("w" .. input.n .. i) return i end) end
          return sum
        end
        return { parent, worker })"},
      {"loop", R"(
        local total = 0
        loop("pages", { times = 12, keep = 2 }, function(i)
          total = total + step("p" .. i, function() effect("p" .. i) return i end)
        end)
        return total)"},
      {"saga", R"(
        local ok = pcall(saga, function()
          step("flight", { undo = function() effect("no flight") end }, function() effect("flight") return 1 end)
          compensate("hotel", function() effect("no hotel") end)
          step("car", { undo = function() effect("no car") end }, function() effect("car") return 2 end)
          error("storm")
        end)
        return { ok = ok, then_ = step("train", function() effect("train") return 3 end) })"},
      {"failing", R"(
        step("paid", { undo = function() effect("paid back") end }, function() effect("paid") return 1 end)
        checkpoint "half"
        step("broken", { retry = 1 }, function() fail("it is broken", { code = "broken" }) end))"},
      {"once", R"(
        step("first", function() effect("first") end)
        local n = step("only", { once = true }, function() effect("only") return 7 end)
        return step("last", function() effect("last") return n end))",
       "unknown_outcome"},
      {"race", R"(
        local v = race {
          slow = function() step("slow", function() sleep(50) end) end,
          fast = function() sleep(1) return step("fast", function() effect("fast") return 5 end) end,
        }
        local t = spawn("t", function() return step("spawned", function() effect("spawned") return 20 end) end)
        return v + t:await())"},
      {"group", R"(
        local g = group { limit = 2 }
        for i = 1, 4 do g:add(function() return step("g" .. i, function() effect("g" .. i) sleep(i) return i end) end) end
        g:close()
        local done = #g:wait()
        checkpoint "done"
        return { done = done, id = uuid(), random = math.random(1000) })"},
  };
  return k_workflows;
}

}  // namespace perilune::disk
