-- Pattern 13: Multiple Instances, Number Known at Design Time. A fixed number of instances, all joined.
-- construct: `map` over a list
-- trace: 1 2 3 done
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

map({ 1, 2, 3 }, function(i) work(tostring(i), i) end)
saw("done")

return table.concat(trace, " ")
