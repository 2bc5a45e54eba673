-- Pattern 2: Parallel Split. One thread becomes several that go on side by side.
-- construct: `parallel`
-- trace: A begin-B begin-C B C
local trace = {}
local function saw(what) trace[#trace + 1] = what end
-- A piece of work that takes `n` moments.
local function work(name, n)
  sleep((n or 1) * 0.05)
  saw(step(name, function() return name end))
end

work("A")
parallel {
  function() saw("begin-B") work("B", 1) end,
  function() saw("begin-C") work("C", 2) end,
}

return table.concat(trace, " ")
