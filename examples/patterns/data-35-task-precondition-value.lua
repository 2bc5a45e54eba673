-- Data pattern 35: Task Precondition - Data Value. A task begins only if the data has a certain value.
-- construct: `when` of a step, as a function
-- trace: count audit
return sequential {
  { "count", run = function() return 1200 end },
  { "stamp", when = function(so_far) return so_far.count < 100 end, run = function() end },
  { "audit", when = function(so_far) return so_far.count > 1000 end, run = function() end },
  outputs = function(_, flow) return table.concat(flow.order, " ") end,
}
