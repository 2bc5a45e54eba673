-- Pattern 27: Complete Multiple Instance Task. Stops the instances that have not ended and goes on with what is there.
-- construct: `group:wait { need = "now" }`
-- trace: 1 2 total=3
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
local values, total = g:wait { need = "now" }, 0
for i = 1, 4 do total = total + (values[i] or 0) end
saw("total=" .. total)

return table.concat(trace, " ")
