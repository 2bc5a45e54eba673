-- Exception pattern SFC-CWC-COM: the item counts as done, with a value that stands in; what it had done is taken back.
-- construct: `pcall(saga, ...)` and a value to fall back on
-- trace: failure=estimate deadline=estimate trigger=estimate constraint=estimate next
-- undone: failure tool, deadline tool, trigger tool, constraint tool
local item = require "lib.item"   -- the work: raises what has happened to it
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end

for _, kind in ipairs { "failure", "deadline", "trigger", "constraint" } do
  local ok, value = pcall(saga, function()
    compensate(kind .. " tool", function() end)   -- what was taken for the item
    return item(kind)
  end)
  saw(kind .. "=" .. (ok and value or "estimate"))
end
saw("next")

return table.concat(trace, " ")
