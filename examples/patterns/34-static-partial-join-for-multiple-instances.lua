-- Pattern 34: Static Partial Join for Multiple Instances. n of m instances let it go on; the rest runs on.
-- construct: `map(items, { need = n, rest = "keep" }, fn)`
-- trace: 1 2 next 3
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

map({ 1, 2, 3 }, { need = 2, rest = "keep" }, function(i) work(tostring(i), i == 3 and 6 or i) end)
work("next", 0)
sleep(0.5)

return table.concat(trace, " ")
