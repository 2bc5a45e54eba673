-- Exception pattern SFC-CWC-NIL: the item counts as done, with a value that stands in for its own; the case goes on.
-- construct: `pcall` and a value to fall back on
-- trace: failure=estimate deadline=estimate trigger=estimate constraint=estimate next
local item = require "lib.item"   -- the work: raises what has happened to it
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end

for _, kind in ipairs { "failure", "deadline", "trigger", "constraint" } do
  local ok, value = pcall(item, kind)
  saw(kind .. "=" .. (ok and value or "estimate"))
end
saw("next")

return table.concat(trace, " ")
