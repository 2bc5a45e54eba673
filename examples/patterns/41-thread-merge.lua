-- Pattern 41: Thread Merge. k threads of one branch become one.
-- construct: `channel:take(k)`
-- trace: 1+2+3 next
local trace = {}
local function saw(what) trace[#trace + 1] = what end

local arrived = channel(3)
for i = 1, 3 do spawn("thread", function() sleep(0.05 * i) arrived:put(i) end) end
saw(table.concat(arrived:take(3), "+"))
saw("next")

return table.concat(trace, " ")
