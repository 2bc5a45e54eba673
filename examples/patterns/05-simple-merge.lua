-- Pattern 5: Simple Merge. Alternatives come together again without waiting; only one is ever active.
-- construct: the end of an `if`
-- trace: B C
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

if decide("first", false) then work("A") else work("B") end
work("C")

return table.concat(trace, " ")
