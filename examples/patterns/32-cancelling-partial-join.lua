-- Pattern 32: Cancelling Partial Join. n of m let it go on; the others are cancelled.
-- construct: `parallel(branches, { need = n })`
-- trace: A B next
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
  function() work("C", 9) end,
}, { need = 2 })
work("next", 0)

return table.concat(trace, " ")
