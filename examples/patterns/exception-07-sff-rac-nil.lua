-- Exception pattern SFF-RAC-NIL: the item has failed, and all cases of its kind are ended; nothing is recovered.
-- construct: a `group` of cases and `group:cancel`
-- trace: failure:3 deadline:3 trigger:3 constraint:3 next
local item = require "lib.item"   -- the work: raises what has happened to it
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end

for _, kind in ipairs { "failure", "deadline", "trigger", "constraint" } do
  local cases = group {}
  for i = 1, 3 do
    cases:add(function() step(kind .. " case " .. i, function() sleep "1h" end) end)
  end
  if not pcall(item, kind) then cases:cancel() end
  local _, info = cases:wait { need = "now" }
  saw(kind .. ":" .. info.cancelled)
end
saw("next")

return table.concat(trace, " ")
