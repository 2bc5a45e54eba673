-- Pattern 6: Multi-Choice. Any subset of the branches, each by its own condition.
-- construct: `parallel` over a table of the chosen branches
-- trace: A fire police
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

work("A")
local needed = { fire = true, police = true, ambulance = false }
local chosen = {}
if decide("fire", needed.fire) then chosen.fire = function() work("fire", 1) end end
if decide("police", needed.police) then chosen.police = function() work("police", 2) end end
if decide("ambulance", needed.ambulance) then chosen.ambulance = function() work("ambulance", 3) end end
parallel(chosen)

return table.concat(trace, " ")
