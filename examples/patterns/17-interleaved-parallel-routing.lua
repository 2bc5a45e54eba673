-- Pattern 17: Interleaved Parallel Routing. A partial order, and never two at a time.
-- construct: `concurrent { ..., limit = 1 }` with `needs`
-- trace: register blood x-ray bones report
local function takes(n) return function() sleep(n * 0.05) end end

-- Side by side the short ones would end first: blood 6, x-ray 3, bones 1.
return concurrent {
  limit = 1,
  { "register", run = takes(1) },
  { "blood", needs = { "register" }, run = takes(6) },
  { "x-ray", needs = { "register" }, run = takes(3) },
  { "bones", needs = { "x-ray" }, run = takes(1) },
  { "report", needs = { "blood", "bones" }, run = takes(1) },
  outputs = function(_, flow) return table.concat(flow.order, " ") end,
}
