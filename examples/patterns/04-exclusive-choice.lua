-- Pattern 4: Exclusive Choice. Exactly one branch is taken, by data.
-- construct: `if decide(...)`, `branch`
-- trace: A large C
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

work("A")
if decide("large order", 1500 > 1000) then saw("large") else saw("small") end
branch("which", {
  { "B", when = function() return false end, run = function() work("B") end },
  { "C", when = function() return true end, run = function() work("C") end },
  { "otherwise", run = function() work("D") end },
})

return table.concat(trace, " ")
