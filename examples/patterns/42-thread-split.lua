-- Pattern 42: Thread Split. k threads start in the same branch.
-- construct: `spawn` k times
-- trace: split 1 2 3
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local threads = {}
for i = 1, 3 do threads[i] = spawn("thread", function() work(tostring(i), i) end) end
saw("split")
for i = 1, 3 do threads[i]:await() end

return table.concat(trace, " ")
