-- Pattern 14: Multiple Instances, Number Known at Run Time. The number is computed before the start; all are joined.
-- construct: `map` over a list that was computed
-- trace: count 1 2 3 4 done
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local n = step("count", function() return 4 end)
saw("count")
local items = {}
for i = 1, n do items[i] = i end
map(items, function(i) work(tostring(i), i) end)
saw("done")

return table.concat(trace, " ")
