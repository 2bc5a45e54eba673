-- Pattern 19: Cancel Task. Withdraws one task.
-- construct: `task:cancel`
-- trace: A cancelled next
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local a = spawn("A", function() work("A", 1) work("never", 9) end)
sleep(0.1)
a:cancel()
pcall(a.await, a)
saw(a.status)
work("next", 0)

return table.concat(trace, " ")
