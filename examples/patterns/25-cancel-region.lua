-- Pattern 25: Cancel Region. Cancels any set of tasks; the rest goes on.
-- construct: `group:cancel`
-- trace: A B region-cancelled outside
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local region = group {}
region:add(function() work("A", 1) work("never-1", 9) end)
region:add(function() work("B", 2) work("never-2", 9) end)
local outside = spawn("outside", function() work("outside", 8) end)
sleep(0.2)
region:cancel()
saw("region-cancelled")
outside:await()

return table.concat(trace, " ")
