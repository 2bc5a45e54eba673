-- Pattern 26: Cancel Multiple Instance Task. Cancels the instances that have not ended; what the others did stays.
-- construct: `group:cancel`
-- trace: 1 2 kept=2
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local g = group {}
for i = 1, 4 do g:add(function() work(tostring(i), i <= 2 and i or 20 + i) return i end) end
sleep(0.3)
g:cancel()
local _, info = g:wait()
saw("kept=" .. info.done)

return table.concat(trace, " ")
