-- Pattern 43: Explicit Termination. Who comes to the end ends the run; what goes on elsewhere is cancelled.
-- construct: `finish`
-- trace: A end
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

parallel {
  function() work("A", 1) saw("end") finish(table.concat(trace, " ")) end,
  function() work("never", 9) end,
}
