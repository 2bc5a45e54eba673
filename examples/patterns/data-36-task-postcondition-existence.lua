-- Data pattern 36: Task Postcondition - Data Existence. A task has ended only when it has given its data.
-- construct: `expect` of a step
-- trace: validation tracking:17
local shape = { type = "object", required = { "tracking" } }

local ok, problem = pcall(step, "ship at night", { expect = shape }, function() return { courier = "asleep" } end)
local shipped = step("ship by day", { expect = shape }, function() return { tracking = 17 } end)

return (ok and "ok" or problem.code) .. " tracking:" .. shipped.tracking
