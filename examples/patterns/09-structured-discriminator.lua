-- Pattern 9: Structured Discriminator. The first that arrives lets it go on; the others run on and are ignored.
-- construct: `parallel(branches, { need = 1, rest = "keep" })`
-- trace: A next B C
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

parallel({
  function() work("A", 1) end,
  function() work("B", 4) end,
  function() work("C", 6) end,
}, { need = 1, rest = "keep" })
work("next", 0)
sleep(0.5)   -- the others go on beside this

return table.concat(trace, " ")
