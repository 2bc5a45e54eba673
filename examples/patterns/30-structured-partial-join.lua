-- Pattern 30: Structured Partial Join. n of m let it go on; the rest runs on.
-- construct: `parallel(branches, { need = n, rest = "keep" })`
-- trace: A B next C
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

parallel({
  function() work("A", 1) end,
  function() work("B", 2) end,
  function() work("C", 6) end,
}, { need = 2, rest = "keep" })
work("next", 0)
sleep(0.5)

return table.concat(trace, " ")
