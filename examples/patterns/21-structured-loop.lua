-- Pattern 21: Structured Loop. A loop with one entry and one exit.
-- construct: `while`, `repeat`
-- trace: 1 2 3 out
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local i = 0
repeat
  i = i + 1
  work(tostring(i), 0)
until decide("enough", i >= 3)
saw("out")

return table.concat(trace, " ")
