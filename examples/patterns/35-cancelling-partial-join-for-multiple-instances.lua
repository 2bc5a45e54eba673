-- Pattern 35: Cancelling Partial Join for Multiple Instances. n of m instances let it go on; the others are cancelled.
-- construct: `map(items, { need = n }, fn)`
-- trace: 1 2 next
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

map({ 1, 2, 3 }, { need = 2 }, function(i) work(tostring(i), i == 3 and 9 or i) end)
work("next", 0)

return table.concat(trace, " ")
