-- Pattern 7: Structured Synchronizing Merge. Waits for just those branches that the choice started.
-- construct: the join of that `parallel`
-- trace: B C report
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local chosen = {}
for _, name in ipairs { "A", "B", "C" } do
  if decide(name, name ~= "A") then chosen[name] = function() work(name, name == "B" and 1 or 2) end end
end
parallel(chosen)
work("report")

return table.concat(trace, " ")
