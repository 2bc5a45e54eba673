-- Pattern 11: Implicit Termination. The run ends when nothing is left to do.
-- construct: a run ends when its main task and all others have ended
-- trace: main A B
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

spawn("A", function() work("A", 1) end)
local b = spawn("B", function() work("B", 2) end)
saw("main")
b:await()    -- only so that the trace can be returned: without it the run would wait all the same

return table.concat(trace, " ")
