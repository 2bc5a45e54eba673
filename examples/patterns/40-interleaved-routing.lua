-- Pattern 40: Interleaved Routing. Each of a set of tasks once, in any order, one at a time.
-- construct: `parallel(branches, { limit = 1 })`
-- trace: begin-A A begin-B B begin-C C
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local function task(name) return function() saw("begin-" .. name) work(name) end end
parallel({ task("A"), task("B"), task("C") }, { limit = 1 })

return table.concat(trace, " ")
