-- Pattern 36: Dynamic Partial Join for Multiple Instances. Instances may be added; a condition that is asked after each of them decides.
-- construct: `group:wait { enough = fn }`
-- trace: 1 2 3 enough
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local g = group {}
for i = 1, 3 do g:add(function() work(tostring(i), i) return i end) end
g:add(function() work("never", 20) end)
g:wait { enough = function(done) return (done[1] or 0) + (done[2] or 0) + (done[3] or 0) >= 6 end }
saw("enough")
g:cancel()

return table.concat(trace, " ")
