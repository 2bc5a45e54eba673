-- Pattern 18: Milestone. A task is possible only while the case is in a given state.
-- construct: `guard`
-- trace: bid-1 bid-2 closed ended refused
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local open = true
spawn("auction", function() sleep(0.85) step("close", function() return true end) open = false saw("closed") end)
local _, why = guard(function() return open end, function()
  for i = 1, 9 do work("bid-" .. i, 6) end
end)
saw(why)
if select(2, guard(function() return open end, function() work("late bid") end)) == "ended" then saw("refused") end

return table.concat(trace, " ")
