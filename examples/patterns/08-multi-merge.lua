-- Pattern 8: Multi-Merge. Each branch that arrives runs what follows itself, without waiting for the others.
-- construct: `parallel(branches, { each = })`
-- trace: A check-A B check-B
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local function follow(_, name) work("check-" .. name, 0) end
parallel({
  function() work("A", 1) return "A" end,
  function() work("B", 3) return "B" end,
}, { each = follow })

return table.concat(trace, " ")
