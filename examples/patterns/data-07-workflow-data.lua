-- Data pattern 7: Workflow Data. What all cases can see.
-- construct: `store`, values under keys for all runs
-- trace: 7 7.5 true
local rates = store.namespace("rates")
if input.writer then   -- another run
  rates.set("moon-lamp", 7.5)
  return "written"
end

rates.set("moon-lamp", 7)
local before = rates.get("moon-lamp")
call(this.workflow, { writer = true })
local after = rates.get("moon-lamp")
local won = rates.cas("moon-lamp", after, 8)   -- only if nobody else was faster
return before .. " " .. after .. " " .. tostring(won)
