-- Pattern 10: Arbitrary Cycles. A cycle with more than one way in and more than one way out.
-- construct: `goto`
-- trace: middle top middle top out
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local rounds = 0
if decide("begin in the middle", true) then goto middle end
::top::
work("top", 1)
if decide("out at the top", rounds >= 2) then goto out end
::middle::
work("middle", 1)
rounds = rounds + 1
if decide("round again", rounds < 3) then goto top end
saw("the other way out")
::out::
saw("out")

return table.concat(trace, " ")
