-- Pattern 12: Multiple Instances without Synchronization. Starts n instances and does not wait for them.
-- construct: `spawn` in a `for`
-- trace: started 1 2 3
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local last
for i = 1, 3 do last = spawn("instance", function() work(tostring(i), i) end) end
saw("started")
last:await()   -- only for the trace

return table.concat(trace, " ")
