-- Pattern 15: Multiple Instances, Number Not Known. Instances may be added while others run; joined when closed and all have ended.
-- construct: `group`: `add`, `close`, `wait`
-- trace: A B late-of-A done
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

local g = group {}
g:add(function()
  work("A", 1)
  g:add(function() work("late-of-A", 3) g:close() end)
end)
g:add(function() work("B", 2) end)
g:wait()
saw("done")

return table.concat(trace, " ")
