-- Pattern 1: Sequence. B may start once A has finished.
-- construct: `step; step`
-- trace: A B C
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

work("A")
work("B")
work("C")

return table.concat(trace, " ")
