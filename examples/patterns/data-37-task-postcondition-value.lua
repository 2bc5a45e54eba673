-- Data pattern 37: Task Postcondition - Data Value. A task has ended only when its data has a certain value; until then it is
-- done again.
-- construct: `back` of a step in `sequential` (refused outright: `expect`)
-- trace: mix mix mix pour 3
return sequential {
  { "mix", run = function(so_far) return (so_far.mix or 0) + 1 end,
    back = { "mix", when = function(strength) return strength < 3 end, max = 10 } },
  { "pour", run = function(so_far) return so_far.mix end, expect = { type = "integer", minimum = 3 } },
  outputs = function(results, flow) return table.concat(flow.order, " ") .. " " .. results.pour end,
}
