-- Pattern 22: Recursion. A task may start its own process again.
-- construct: a function that calls itself
-- trace: down-3 down-2 down-1 up-1 up-2 up-3
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local function process(n)
  if n == 0 then return end
  work("down-" .. n, 0)
  process(n - 1)
  work("up-" .. n, 0)
end
process(3)

return table.concat(trace, " ")
