-- Exception pattern SFF-CWC-COM: the item has failed, what it had done is taken back, newest first; the case goes on.
-- construct: `pcall(saga, ...)` around the item
-- trace: failure deadline trigger constraint next
-- undone: undo reserve failure, undo reserve deadline, undo reserve trigger, undo reserve constraint
local item = require "lib.item"   -- the work: raises what has happened to it
local trace = {}
local function saw(what) trace[#trace + 1] = tostring(what) end

for _, kind in ipairs { "failure", "deadline", "trigger", "constraint" } do
  local _, problem = pcall(saga, function()
    step("reserve " .. kind, { undo = function() end }, function() end)
    item(kind)
  end)
  saw(problem.code == "timeout" and "deadline" or problem.code)
end
saw(step("next", function() return "next" end))

return table.concat(trace, " ")
