-- Pattern 3: Synchronization. Go on once, after every branch has finished once.
-- construct: `parallel`
-- trace: A B C D
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

parallel {
  function() work("A", 1) end,
  function() work("B", 2) end,
  function() work("C", 3) end,
}
work("D")

return table.concat(trace, " ")
