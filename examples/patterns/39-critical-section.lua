-- Pattern 39: Critical Section. Of several regions at most one is active at a time.
-- construct: `lock`
-- trace: in-A out-A in-B out-B
local trace = {}
local function saw(what) trace[#trace + 1] = what end

local function region(name)
  return function() lock("account", function() saw("in-" .. name) sleep(0.1) saw("out-" .. name) end) end
end
parallel { region("A"), region("B") }

return table.concat(trace, " ")
